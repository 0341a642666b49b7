"""How far what was made again is from what was written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from engine.contracts.findings import Candidate, Decision
from engine.pictures.decode import decoded

LEAST_PSNR_DB = 40.0
"""Of two pictures, over all pixels: a difference of 2.5 of 255 grey levels in the mean square."""
LEAST_COSINE = 0.999
"""Of two vectors."""
MOST_SCORE = 0.005
"""Between the cosines of one candidate."""
_SAME_DB = 99.0
Scores = tuple[Decision, list[Candidate]]
How = Literal["equal", "near", "far", "missing"]


@dataclass(frozen=True)
class Compared:
    """One picture or vector."""

    message: str
    """``face`` or ``track``."""
    frame_index: int
    """Of the face; -1: of the track as a whole."""
    part: str
    """As ``enhanced`` or ``embedding``."""
    how: How
    """``equal``: byte for byte. ``near``: within the tolerance. ``missing``: one of the two is not there."""
    psnr_db: float | None = None
    """Of pictures that are not equal."""
    cosine: float | None = None
    """Of vectors that are not equal."""


def compared(message: str, frame_index: int, part: str, before: bytes | None, now: bytes | None) -> Compared:
    """Compare a picture or a vector.

    Args:
        message: ``face`` or ``track``.
        frame_index: of the face, or -1.
        part: its name; ``embedding`` is a vector of float32, all others are pictures.
        before: as it was written; None: it is not there.
        now: as it was made again; None: it was not made.
    """
    if before is None or now is None:
        return Compared(message, frame_index, part, "missing")
    if before == now:
        return Compared(message, frame_index, part, "equal")
    if part == "embedding":
        cosine = _cosine(before, now)
        return Compared(message, frame_index, part, "near" if cosine >= LEAST_COSINE else "far", cosine=cosine)
    psnr_db = _psnr_db(before, now)
    return Compared(message, frame_index, part, "near" if psnr_db >= LEAST_PSNR_DB else "far", psnr_db=psnr_db)


def scores_apart(then: Scores, now: Scores) -> tuple[str, bool]:
    """Return how two comparisons with the same people differ, in words, empty if they do not; and whether that is too much.

    Args:
        then: the decision and the candidates as they were written.
        now: as they were found again.
    """
    if then == now:
        return "", False
    if then[0] != now[0]:
        return f"the decision is {now[0]}, and was {then[0]}", True
    names, names_then = [one.identity for one in now[1]], [one.identity for one in then[1]]
    if names[:1] != names_then[:1]:
        return (
            f"the first candidate is {', '.join(names[:1]) or 'nobody'}, and was {', '.join(names_then[:1]) or 'nobody'}",
            True,
        )
    by_name = {one.identity: one for one in now[1]}
    pairs = [(one, by_name[one.identity]) for one in then[1] if one.identity in by_name]
    apart = max((_apart(one, other) for one, other in pairs), default=0.0)
    return f"scores differ by up to {apart:.1e}", apart > MOST_SCORE


def _apart(one: Candidate, other: Candidate) -> float:
    apart = abs(one.cosine_original - other.cosine_original)
    if one.cosine_enhanced is None or other.cosine_enhanced is None:
        return 1.0 if one.cosine_enhanced != other.cosine_enhanced else apart
    return max(apart, abs(one.cosine_enhanced - other.cosine_enhanced))


def _cosine(before: bytes, now: bytes) -> float:
    if len(before) != len(now) or len(before) % 4:
        return 0.0
    one, other = (np.frombuffer(each, "<f4").astype(np.float64) for each in (before, now))
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length > 0 else 0.0


def _psnr_db(before: bytes, now: bytes) -> float:
    one, other = (decoded(each, cv2.IMREAD_UNCHANGED) for each in (before, now))
    if one is None or other is None or one.shape != other.shape:
        return 0.0
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return _SAME_DB if error == 0 else min(_SAME_DB, 10 * math.log10(255**2 / error))
