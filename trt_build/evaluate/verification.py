"""Verification figures from distances: accuracy and TAR at a false match rate.

Every figure takes a weight for each pair, so that a bootstrap over identities can reuse it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]
Weights = NDArray[np.float64]

FOLDS = 10


@dataclass(frozen=True)
class Trial:
    """Pairs: `distances` (P,), `same` (P,) bool, `folds` (P,) in 0..9 for the accuracy."""

    distances: Distances
    same: NDArray[np.bool_]
    folds: NDArray[np.int64]


def tar_at_fmr(trial: Trial, fmr: float, weights: Weights) -> float:
    """Share of genuine pairs accepted at the largest threshold that keeps FMR <= `fmr`.

    A pair is accepted when its distance is *below* the threshold; the threshold is the distance of
    the first impostor that would go over the limit. NaN if a draw left no pair of a kind.
    """
    impostor = ~trial.same
    total, genuine = weights[impostor].sum(), weights[trial.same]
    if total == 0 or genuine.sum() == 0:
        return float("nan")
    order = np.argsort(trial.distances[impostor], kind="stable")
    distances = trial.distances[impostor][order]
    share = np.cumsum(weights[impostor][order]) / total
    over = np.flatnonzero(share > fmr)
    threshold = distances[over[0]] if len(over) else np.inf
    return float(genuine[trial.distances[trial.same] < threshold].sum() / genuine.sum())


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
