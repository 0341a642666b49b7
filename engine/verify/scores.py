"""Cosines and the decision by cosines: pure functions.

A decision rests on the original crops alone. All moments of a track count, even those too bad to be recognised, because they
are fused before they are compared (``engine.verify.evidence``). Scores of enhanced crops are reported, but never count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.contracts.findings import Candidate, Decision
from engine.contracts.frames import Float32
from engine.verify.evidence import Fusion
from engine.verify.gallery.persons import highest, persons_of
from engine.verify.gallery.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits by which a comparison becomes a decision."""

    known_cosine: float
    """``known`` needs at least this cosine, and a lead of ``margin_cosine`` over everyone else."""
    unknown_cosine: float
    """``unknown`` needs a cosine below this, from faces of at least ``min_size_px``."""
    margin_cosine: float
    min_size_px: float
    """Smaller faces can be ``known`` but not ``unknown``: their cosines with their own pictures are lower too."""
    min_faces: int = 1
    """Fewer faces than this decide nothing; for a name this many must be recognisable."""


def cosines_with(vector: Float32, matrix: Float32) -> Float32:
    """Return the cosine of a vector and each row: (N,), -1 to 1.

    Args:
        vector: (length,) of length 1.
        matrix: (N, length), each row of length 1.
    """
    return np.clip(np.vecdot(matrix, vector), -1.0, 1.0) if len(matrix) else np.zeros(0, np.float32)


def best_cosines(embedding: Float32, names: Sequence[str], matrix: Float32) -> dict[str, float]:
    """Return for each identity the cosine of its best picture, -1 to 1.

    Args:
        embedding: (length,) of length 1.
        names: the identity of each row; one identity may have several rows.
        matrix: (N, length), each row of length 1.
    """
    persons = persons_of(names)
    return dict(zip(persons.names, persons.best(cosines_with(embedding, matrix)).tolist(), strict=True))


def rank(original: Float32 | None, enhanced: Float32 | None, people: Snapshot, limit: int) -> list[Candidate]:
    """Return the ``limit`` identities most like the original, best first; the enhanced cosine is only reported.

    Args:
        original: (length,) of length 1; None: no candidates.
        enhanced: the same of the enhanced crop, None if there is none.
        people: the people to compare with.
        limit: most candidates.
    """
    if original is None:
        return []
    best = people.persons.best(np.clip(people.cosines(original), -1.0, 1.0))
    return [
        Candidate(people.name(place), float(best[place]), cosine_of(enhanced, people, place)) for place in highest(best, limit)
    ]


def cosine_of(vector: Float32 | None, people: Snapshot, place: int) -> float | None:
    """Return the cosine of a vector, if there is one, with the best picture of the person at an index of the gallery."""
    return None if vector is None else float(cosines_with(vector, people.vectors(place)).max())


def decide(candidates: Sequence[Candidate], faces: Fusion, thresholds: Thresholds) -> Decision:
    """Return ``known``, ``unknown``, ``undecided``, or ``none`` if there is nobody to compare with.

    Args:
        candidates: best first, at least the best two of the gallery; only ``cosine_original`` is used.
        faces: what the candidates' cosines rest on.
        thresholds: the limits.
    """
    if not candidates:
        return "none"
    if faces.faces < thresholds.min_faces:
        return "undecided"
    best = candidates[0].cosine_original
    if best < thresholds.unknown_cosine:
        return "unknown" if faces.large_faces >= thresholds.min_faces else "undecided"
    second = candidates[1].cosine_original if len(candidates) > 1 else -1.0
    has_lead = best >= thresholds.known_cosine and best - second >= thresholds.margin_cosine
    if has_lead and faces.shown >= thresholds.min_faces:
        return "known"
    return "undecided"
