"""The result of comparing a face or a track with the gallery."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contracts.findings import Basis, Candidate, Decision
from engine.contracts.frames import Float32
from engine.contracts.gallery import GalleryVersion


@dataclass(frozen=True, slots=True, eq=False)
class FaceScores:
    """One face compared with the gallery."""

    embedding: Float32 | None
    """Vector of the original crop, (length,) of length 1; None without an embedder."""
    candidates: list[Candidate]
    decision: Decision
    """Decision on this face alone; act on the track's."""
    gallery_version: int
    track_decision_changed: bool
    """Whether this face changed its track's decision. A track starts undecided: ``undecided`` and ``none`` are news only after
    ``known`` or ``unknown``.
    """
    gallery: GalleryVersion | None = None
    """What it was compared with; None without a gallery."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackScores:
    """The faces of a track so far, fused and compared with the current gallery."""

    embedding: Float32 | None
    """Fused vector of the originals, (length,) of length 1."""
    candidates: list[Candidate]
    decision: Decision
    faces: int
    """Number of faces that it rests on."""
    gallery_version: int
    basis: Basis | None = None
    """Reasons for the decision; None if there was nobody to compare with."""
    gallery: GalleryVersion | None = None
    """What it was compared with; None without a gallery."""
