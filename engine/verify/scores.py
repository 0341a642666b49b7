"""Cosines, fusion over a track, and the decision: pure functions.

What the numbers may claim: a decision rests on the original crops alone. All faces of a track speak, also those that look like
nobody, because they are fused before they are compared. Scores of enhanced crops are reported beside, never counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.contracts.frames import Float32
from engine.contracts.messages import Candidate, Decision
from engine.verify.persons import Persons, highest, persons_of


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a comparison is a decision."""

    known_cosine: float
    """At least this, and ``margin_cosine`` ahead of everyone else: known."""
    unknown_cosine: float
    """Below this: unknown, where faces of at least ``min_size_px`` say so."""
    margin_cosine: float
    min_size_px: float
    """The cosines of smaller faces fall also with their own pictures: they may be known, never unknown."""
    min_faces: int = 1
    """Fewer faces than this decide nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """The weighted sum of a track's embeddings: its size does not grow with the track."""

    weighted_sum: np.ndarray | None = None
    """(length,) float64; None before the first face."""
    faces: int = 0
    large_faces: int = 0
    """Those that can say ``unknown``."""
    weight: float = 0.0
    """Of all faces."""
    weighted_size: float = 0.0

    @property
    def size_px(self) -> float:
        """Mean size of the faces, weighted as they are: a fused vector is as good as its best faces; 0 without faces."""
        return self.weighted_size / self.weight if self.weight else 0.0

    @property
    def quality(self) -> float:
        """Mean quality of the faces; 0 without faces."""
        return self.weight / self.faces if self.faces else 0.0

    def add(self, embedding: Float32, weight: float, large: bool = True, size_px: float = 0.0) -> Fusion:
        """Return the fusion with one more face.

        Args:
            embedding: (length,) of length 1.
            weight: the face's quality, above 0.
            large: whether it has the size to say ``unknown``.
            size_px: of the face.

        Raises:
            ValueError: the weight is not a positive number.
        """
        if not (np.isfinite(weight) and weight > 0):
            raise ValueError(f"the weight of a face must be a positive number, got {weight}")
        term = weight * np.asarray(embedding, np.float64)
        total = term if self.weighted_sum is None else self.weighted_sum + term
        return Fusion(
            total,
            self.faces + 1,
            self.large_faces + int(large),
            self.weight + weight,
            self.weighted_size + weight * size_px,
        )

    def embedding(self) -> Float32 | None:
        """Return sum(w e) / |sum(w e)| as (length,) float32; None without faces, or where they cancel out."""
        if self.weighted_sum is None:
            return None
        length = float(np.linalg.norm(self.weighted_sum))
        return (self.weighted_sum / length).astype(np.float32) if length > 1e-12 else None


def cosines_with(vector: Float32, matrix: Float32) -> Float32:
    """Return the cosine of a vector and each row: (N,), -1 to 1.

    Args:
        vector: (length,) of length 1.
        matrix: (N, length), each row of length 1.
    """
    return np.clip(matrix @ vector, -1.0, 1.0) if len(matrix) else np.zeros(0, np.float32)


def best_cosines(embedding: Float32, names: Sequence[str], matrix: Float32) -> dict[str, float]:
    """Return for each identity the cosine of its best picture, -1 to 1.

    Args:
        embedding: (length,) of length 1.
        names: the identity of each row; one identity may have several rows.
        matrix: (N, length), each row of length 1.
    """
    persons = persons_of(names)
    return dict(zip(persons.names, persons.best(cosines_with(embedding, matrix)).tolist(), strict=True))


def rank(original: Float32 | None, enhanced: Float32 | None, persons: Persons, matrix: Float32, limit: int) -> list[Candidate]:
    """Return the ``limit`` identities most like the original, best first; the enhanced cosine only stands beside.

    Args:
        original: (length,) of length 1; None: no candidates.
        enhanced: the same of the enhanced crop, None where there is none.
        persons: who has which row.
        matrix: (N, length), each row of length 1.
        limit: candidates at most.
    """
    if original is None:
        return []
    best = persons.best(cosines_with(original, matrix))
    return [
        Candidate(persons.names[person], float(best[person]), cosine_of(enhanced, persons, matrix, person))
        for person in highest(best, limit)
    ]


def cosine_of(vector: Float32 | None, persons: Persons, matrix: Float32, person: int) -> float | None:
    """Return the cosine of a vector, if there is one, and the best picture of the person at a place of ``persons.names``."""
    return None if vector is None else float(cosines_with(vector, matrix[persons.rows(person)]).max())


def decide(candidates: Sequence[Candidate], faces: int, large_faces: int, thresholds: Thresholds) -> Decision:
    """Return ``known``, ``unknown``, ``undecided``, or ``none`` where there is nobody to compare with.

    Args:
        candidates: best first, at least the best two of the gallery; only ``cosine_original`` is looked at.
        faces: how many faces the candidates' cosines rest on.
        large_faces: how many of them have at least ``min_size_px``.
        thresholds: see there.
    """
    if not candidates:
        return "none"
    if faces < thresholds.min_faces:
        return "undecided"
    best = candidates[0].cosine_original
    if best < thresholds.unknown_cosine:
        return "unknown" if large_faces >= thresholds.min_faces else "undecided"
    second = candidates[1].cosine_original if len(candidates) > 1 else -1.0
    if best >= thresholds.known_cosine and best - second >= thresholds.margin_cosine:
        return "known"
    return "undecided"
