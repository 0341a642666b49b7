"""The result of comparing a face or a track with the gallery."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contracts.findings import Basis, Candidate, Decision
from engine.contracts.frames import Float32
from engine.contracts.gallery_version import GalleryVersion


@dataclass(frozen=True, slots=True, eq=False)
class FaceScores:
    """One face compared with the gallery."""

    embedding: Float32 | None
    """Of the original crop, (length,) of length 1; None without an embedder."""
    candidates: list[Candidate]
    decision: Decision
    """Of this face alone; the track's is the one to act on."""
    gallery_version: int
    track_decision_changed: bool
    """Whether this face changed what its track says. A track begins with nothing decided: ``undecided`` and ``none`` are news
    only after ``known`` or ``unknown``."""
    gallery: GalleryVersion | None = None
    """What it was compared with; None without a gallery."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackScores:
    """What the faces of a track so far amount to, compared with the gallery as it is now."""

    embedding: Float32 | None
    """Of the originals, (length,) of length 1."""
    candidates: list[Candidate]
    decision: Decision
    faces: int
    """How many faces it rests on."""
    gallery_version: int
    basis: Basis | None = None
    """Why it was decided so; None where there was nobody to compare with."""
    gallery: GalleryVersion | None = None
    """What it was compared with; None without a gallery."""
