"""Fuses the faces of a track: a bounded set of them, grouped by moment and by person.

- *Moments*: faces of one moment that look the same carry the same error. They count once, as the best of them.
- *Persons*: faces are gathered into groups of one person each. A vector is only ever made from one group: the one seen at the
  most moments or, in a tie, the latest. A face that fits no group is ignored; two that fit each other are a person.
- *Nobody*: a face so bad that its vector is the one that all bad faces have fits every group. It is added to the deciding group
  with its weight, but does not count towards the faces that a name requires.

The set does not grow with the track. Up to ``MOST_FACES`` faces the result does not depend on their order; beyond that each new
face replaces the one that is missed least at that moment, so another order may keep others. A kept face counts once, however
often it is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.contracts.frames import Float32

MOST_FACES = 24
"""Most faces kept of a track."""
MOMENT_SECONDS = 0.3
"""Faces this close in time are of one moment if they are alike."""
ALIKE = 0.97
"""Least cosine of two faces of one moment that count as the same evidence."""
_PERSON_MOMENTS = 2
"""Least number of faces that make a person; one alone may be an accident."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceEvidence:
    """One face of a track."""

    vector: Float32
    """(length,) of length 1."""
    weight: float
    """Weight in the fusion, above 0."""
    seconds: float
    """Time of its frame."""
    enhanced: Float32 | None = None
    """The vector of the enhanced crop: reported too, but decides nothing."""
    size_px: float = 0.0
    quality: float = 1.0
    """See ``Quality.score``."""
    is_large: bool = True
    """Whether it is large enough to support ``unknown``."""
    is_nobody: bool = False
    """Whether its vector is that of any face too bad to be recognised."""
    can_part: bool = True
    """Whether it is good enough to show that a track holds two people."""

    @property
    def order(self) -> tuple[float, float, float, bytes]:
        """Sorting key, best first; different faces have different keys."""
        return -self.weight, self.seconds, -self.size_px, self.vector.tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """The fused vector of a track, and what it rests on."""

    vector: Float32 | None = None
    """(length,) of length 1; None without faces, or if they cancel out."""
    enhanced: Float32 | None = None
    """The same of the enhanced crops."""
    faces: int = 0
    moments: int = 0
    """Number of moments at which these faces were seen; the best face of each is in the vector."""
    nobody: int = 0
    """Number of moments whose face is too bad to be recognised."""
    large_faces: int = 0
    """Number of moments whose face can support ``unknown``."""
    size_px: float = 0.0
    """Mean size of the faces, weighted as in the fusion: a fused vector is as good as its best faces."""
    quality: float = 0.0
    """Mean quality of the faces."""
    persons: int = 0
    """Number of people in the track; the vector is of one of them."""
    shown: int = 0
    """Number of recognisable faces, of which a name requires some."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The kept faces of one track."""

    apart: float
    """Two groups are two people if the cosine of their vectors is below this."""
    faces: tuple[FaceEvidence, ...] = ()
    """At most ``MOST_FACES``, best first."""

    def add(self, face: FaceEvidence) -> Evidence:
        """Return the evidence with one more face and, if there are too many, without the one that is missed least; the same
        evidence if this very face is kept already.

        Raises:
            ValueError: the weight is not a positive number.
        """
        if not (np.isfinite(face.weight) and face.weight > 0):
            raise ValueError(f"the weight of a face must be a positive number, got {face.weight}")
        if any(face.order == one.order for one in self.faces):
            return self
        kept = tuple(sorted((*self.faces, face), key=lambda one: one.order))
        if len(kept) > MOST_FACES:
            out = self._missed_least(kept)
            kept = kept[:out] + kept[out + 1 :]
        return Evidence(self.apart, kept)

    def fused(self) -> Fusion:
        """Return the vector of the person who was seen at the most moments, and what it rests on."""
        moments = _moments(self.faces)
        groups, others = self._groups(moments, self.faces)
        chosen = max(groups, key=lambda group: (len(group), max(self.faces[at].seconds for at in group)), default=[])
        best = sorted((*chosen, *others))
        persons = sum(len(group) >= _PERSON_MOMENTS for group in groups) or int(bool(best))
        shown = sum(len(moments[at]) for at in best if not self.faces[at].is_nobody)
        return _fusion([self.faces[at] for at in best], sum(len(moments[at]) for at in best), persons, shown)

    def _groups(self, moments: Iterable[int], faces: Sequence[FaceEvidence]) -> tuple[list[list[int]], list[int]]:
        """Gather faces into people: join the two most alike groups until their weighted means are ``apart``.

        Returns:
            The groups, and the faces that fit each of them.
        """
        others = [at for at in moments if faces[at].is_nobody or not faces[at].can_part]
        groups = [[at] for at in moments if at not in others]
        if _all_alike([faces[at].vector for (at,) in groups], self.apart):
            return [[at for (at,) in groups]], others
        sums = np.array([faces[at].weight * faces[at].vector.astype(np.float64) for (at,) in groups])
        while len(groups) > 1:
            means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
            alike = means @ means.T
            np.fill_diagonal(alike, -2.0)
            one, other = divmod(int(alike.argmax()), len(groups))
            if alike[one, other] < self.apart:
                break
            groups[one] += groups.pop(other)
            sums[one] += sums[other]
            sums = np.delete(sums, other, axis=0)
        return groups, others

    def _missed_least(self, faces: Sequence[FaceEvidence]) -> int:
        """Return the index of the face to drop from a set that is too large: one whose moment has a better face; otherwise, of
        the two most alike faces of the largest group, the one of less weight.
        """
        moments = _moments(faces)
        if followers := set(range(len(faces))).difference(moments):
            return max(followers)
        groups, others = self._groups(moments, faces)
        largest = max([*groups, others], key=lambda one: (len(one), max(one, default=-1)))
        group = sorted(largest)
        vectors = np.stack([faces[at].vector for at in group])
        return group[int(np.tril(vectors @ vectors.T + 2, -1).argmax()) // len(group)]


def _all_alike(vectors: Sequence[Float32], apart: float) -> bool:
    """Whether no two vectors are apart; then no two weighted means of them are."""
    return len(vectors) > 1 and float((np.stack(vectors) @ np.stack(vectors).T).min()) >= apart


def _moments(faces: Sequence[FaceEvidence]) -> dict[int, list[int]]:
    """Return the faces of each moment, keyed by its best face; ``faces`` are sorted, best first."""
    moments: dict[int, list[int]] = {}
    if not faces:
        return moments
    vectors, seconds = np.stack([face.vector for face in faces]), np.array([face.seconds for face in faces])
    twins = (np.abs(seconds[:, None] - seconds) <= MOMENT_SECONDS) & (vectors @ vectors.T >= ALIKE)
    for at in range(len(faces)):
        better = next((other for other in moments if twins[at, other]), at)
        moments.setdefault(better, []).append(at)
    return moments


def _fusion(best: Sequence[FaceEvidence], faces: int, persons: int, shown: int) -> Fusion:
    if not best:
        return Fusion()
    weights = np.array([face.weight for face in best])
    return Fusion(
        vector=_direction([(face.weight, face.vector) for face in best]),
        enhanced=_direction([(face.weight, face.enhanced) for face in best if face.enhanced is not None]),
        faces=faces,
        moments=len(best),
        nobody=sum(face.is_nobody for face in best),
        large_faces=sum(face.is_large for face in best),
        size_px=float(weights @ [face.size_px for face in best] / weights.sum()),
        quality=float(np.mean([face.quality for face in best])),
        persons=persons,
        shown=shown,
    )


def _direction(terms: Sequence[tuple[float, Float32]]) -> Float32 | None:
    """Return the weighted sum, scaled to length 1; None if it vanishes."""
    total = sum((weight * vector.astype(np.float64) for weight, vector in terms), np.zeros(1))
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if length > 1e-12 else None
