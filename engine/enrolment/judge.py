"""Whether the face of a photograph is good enough for the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.contracts.findings import Quality
from engine.errors import EnrolmentRefused
from engine.words.numbers import told_apart


@dataclass(frozen=True, slots=True)
class EnrolLimits:
    """What a picture must have. Every later comparison rests on it, so more is asked than of a face in a video."""

    min_size_px: float = 48.0
    """Geometric mean of the face box's sides; below 32 px the default embedder begins to miss its own people."""
    min_sharpness: float = 0.25
    """``Quality.sharpness``: 300 LFW faces have 0.6 to 1; blurred by 5 % of their size 0.2 to 0.46, by 10 % at most 0.25."""
    min_frontal: float = 0.7
    """``Quality.frontal``, the cosine of the yaw: 45 degrees. Of 300 LFW faces none is below, 99 % are above 0.8."""
    min_score: float = 0.05
    """``Quality.score``, all of it together."""
    min_detail: float = 0.08
    """See ``engine.enrolment.detail``: what shows less is set apart."""
    max_blockiness: float = 1.9
    """Likewise."""


def check_quality(path: Path, quality: Quality, limits: EnrolLimits) -> None:
    """Check one face against the limits.

    Raises:
        EnrolmentRefused: the message names the picture, what is wrong with it, and what to do.
    """
    if quality.size_px < limits.min_size_px:
        size, needed = told_apart(quality.size_px, limits.min_size_px, 0)
        raise EnrolmentRefused(f"the face in {path} is too small ({size} px, needed {needed}): give a larger picture")
    if quality.sharpness < limits.min_sharpness:
        sharpness, needed = told_apart(quality.sharpness, limits.min_sharpness, 2)
        raise EnrolmentRefused(
            f"the face in {path} is too blurred (sharpness {sharpness}, needed {needed}): give a sharper picture"
        )
    if quality.frontal < limits.min_frontal:
        frontal, needed = told_apart(quality.frontal, limits.min_frontal, 2)
        raise EnrolmentRefused(
            f"the face in {path} looks too far to the side (frontal {frontal}, needed {needed}): "
            "give one that looks into the camera"
        )
    if quality.score < limits.min_score:
        score, needed = told_apart(quality.score, limits.min_score, 2)
        raise EnrolmentRefused(
            f"the face in {path} is too poor overall (quality {score}, needed {needed}): give a clear frontal picture"
        )
