"""Verification figures from distances: accuracy and TAR at a false match rate.

Every figure takes a weight for each pair, so that a bootstrap over identities can reuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]
Weights = NDArray[np.float64]

FOLDS = 10
_NEAR = 0.05
"""Share of impostors that usually suffices; the rest are counted only if it does not."""


@dataclass(frozen=True)
class Trial:
    """P pairs: `distances` (P,), `same` (P,) bool, and `folds` (P,) in 0..9 for the accuracy."""

    distances: Distances
    same: NDArray[np.bool_]
    folds: NDArray[np.int64]


@dataclass(frozen=True)
class Pairing:
    """Pairs of faces by index: ``left`` and ``right`` (P,), ``same`` (P,) bool."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    same: NDArray[np.bool_]


def generated_pairs(people: Sequence[str], seed: int, per_person: int = 30, different: int = 60_000) -> Pairing:
    """Pair faces of one person, up to ``per_person`` each, and of two people, ``different`` pairs or all that exist.

    Args:
        people: the person of each face.
        seed: of the choice.
        per_person: most pairs of one person, so that people with many pictures do not dominate.
        different: number of pairs of two people; a false match rate of 1e-3 should leave dozens of them.
    """
    rng = np.random.default_rng(seed)
    _, whose = np.unique(people, return_inverse=True)
    left, right = [], []
    for person in range(int(whose.max()) + 1):
        a, b = np.triu_indices(int((whose == person).sum()), 1)
        faces = np.flatnonzero(whose == person)
        kept = rng.permutation(len(a))[:per_person]
        left.append(faces[a[kept]])
        right.append(faces[b[kept]])
    own = sum(map(len, left))
    a, b = np.triu_indices(len(whose), 1)
    others = np.flatnonzero(whose[a] != whose[b])
    chosen = rng.permutation(others)[:different] if len(others) > different else others
    swapped = rng.random(len(chosen)) < 0.5
    left.append(np.where(swapped, b[chosen], a[chosen]))
    right.append(np.where(swapped, a[chosen], b[chosen]))
    same = np.arange(own + len(chosen)) < own
    return Pairing(np.concatenate(left).astype(np.int64), np.concatenate(right).astype(np.int64), same)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors (N, D) with a length of 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def cosine_distances(left: NDArray[np.float32], right: NDArray[np.float32], pairs: Pairing) -> Distances:
    """Return 1 - cosine of each pair, its left face from ``left``, its right one from ``right``: unit vectors (N, D)."""
    return np.asarray(1 - np.einsum("ij,ij->i", left[pairs.left], right[pairs.right]), np.float64)


class SortedTrial:
    """Computes ``tars`` for many weights: the distances are sorted only once."""

    def __init__(self, distances: Distances, same: NDArray[np.bool_]) -> None:
        self._impostors, self._genuine = (np.flatnonzero(kind)[np.argsort(distances[kind])] for kind in (~same, same))
        self._impostor_distances, self._genuine_distances = distances[self._impostors], distances[self._genuine]

    def tars(self, fmrs: Sequence[float], weights: Weights) -> list[float]:
        """Return for each FMR the share of genuine pairs accepted at the largest threshold that keeps it.

        A pair is accepted if its distance is *below* the threshold; the threshold is the distance of the first impostor that
        would exceed the limit. NaN if a draw has no pair of either kind.
        """
        genuine = np.cumsum(weights[self._genuine])
        total = float(weights.sum() - genuine[-1]) if len(genuine) else 0.0
        if total <= 0 or genuine[-1] == 0:
            return [float("nan")] * len(fmrs)
        shares = self._shares(max(fmrs), weights, total)
        found = []
        for fmr in fmrs:
            first_over = int(np.searchsorted(shares, fmr, side="right"))
            if first_over == len(shares):
                found.append(1.0)
                continue
            accepted = int(np.searchsorted(self._genuine_distances, self._impostor_distances[first_over]))
            found.append(float(genuine[accepted - 1] / genuine[-1]) if accepted else 0.0)
        return found

    def _shares(self, limit: float, weights: Weights, total: float) -> Weights:
        """Return the cumulative share of impostors, at least until it exceeds ``limit``."""
        near = np.cumsum(weights[self._impostors[: round(_NEAR * len(self._impostors))]]) / total
        if len(near) and near[-1] > limit:
            return np.asarray(near, np.float64)
        return np.asarray(np.cumsum(weights[self._impostors]) / total, np.float64)

    def curve(self, rates: Sequence[float]) -> list[float]:
        """Return the false non-match rate at each false match rate, every pair once: a DET curve."""
        weights = np.ones(len(self._impostors) + len(self._genuine))
        return [1 - tar for tar in self.tars(rates, weights)]


def tar_at_fmr(trial: Trial, fmr: float, weights: Weights) -> float:
    """`SortedTrial.tars` for a single rate and choice of weights."""
    return SortedTrial(trial.distances, trial.same).tars((fmr,), weights)[0]


def best_threshold(distances: Distances, same: NDArray[np.bool_], weights: Weights) -> float:
    """The threshold with the highest weighted accuracy; accepted means distance <= threshold."""
    order = np.argsort(distances, kind="stable")
    signed = np.where(same[order], weights[order], -weights[order])
    gain = np.cumsum(signed)
    last = int(np.argmax(gain))
    if gain[last] <= 0:
        return -np.inf
    after = distances[order[last + 1]] if last + 1 < len(order) else distances[order[last]]
    return float((distances[order[last]] + after) / 2)


def accuracy(trial: Trial, weights: Weights) -> float:
    """Accuracy over ten folds, each judged by the threshold that is best on the other nine."""
    total = float(weights.sum())
    if total == 0:
        return float("nan")
    right = 0.0
    for fold in range(FOLDS):
        test = trial.folds == fold
        if not test.any():
            continue
        learn = ~test
        threshold = best_threshold(trial.distances[learn], trial.same[learn], weights[learn])
        correct = (trial.distances[test] <= threshold) == trial.same[test]
        right += float(weights[test][correct].sum())
    return right / total


def seeded_folds(same: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """A fold for each pair, genuine and impostor pairs spread evenly."""
    folds = np.empty(len(same), dtype=np.int64)
    rng = np.random.default_rng(seed)
    for kind in (True, False):
        index = np.flatnonzero(same == kind)
        folds[rng.permutation(index)] = np.arange(len(index)) % FOLDS
    return folds
