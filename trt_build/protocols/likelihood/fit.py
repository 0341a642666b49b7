"""Fits a calibration (``engine.verify.likelihood``) to comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.verify.likelihood import Bucket, Calibration, warped
from engine.verify.open_set import OpenSet
from trt_build.errors import DataError
from trt_build.measures.likelihood import bounds, cross_entropy, logistic
from trt_build.protocols.likelihood.comparisons import EDGES, GRID, Comparisons
from trt_build.protocols.open_set.scenes import ScenePairs, scene_shares

Weights = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Weights over ``GRID`` of comparisons of one person and of two."""
CURVES = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
PRIORS = (0.5, 0.1, 0.01, 0.001)
"""Priors for which ratios are fitted: those of one suspect, and of one among many enrolled people."""
RATES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)
_ERRORS = 30
"""Least number of passing pairs for a rate to be trusted: it is then within 30 % of the truth in 9 of 10 cases (the rule of 30:
Doddington et al. 2000).
"""
_FEWEST = 20
"""Least number of people with two photographs in each bucket."""
_FOLDS, _SEED = 5, 20261129


def fit(buckets: Sequence[Comparisons], scenes: ScenePairs, measured: OpenSet) -> Calibration:
    """Return the calibration fitted to the comparisons.

    Args:
        buckets: see ``comparisons_of``.
        scenes: pairs of people in one scene, with faces of any size; each scene counts once, see ``scene_shares``.
        measured: the limits of names, whose crowd all comparisons use.

    Raises:
        DataError: a bucket has too few people.
    """
    for one in buckets:
        people = len(np.unique(one.same_person))
        if people < _FEWEST:
            raise DataError(
                f"Of faces of {one.low_px:g} to {one.high_px:g} px only {people} people have a second photograph: at least "
                f"{_FEWEST} are needed. Record more tracks."
            )
    folds = [_folds(one) for one in buckets]
    curve = min(CURVES, key=lambda one: _held_out_cost(folds, one))
    histograms = [one.histograms() for one in buckets]
    rates = [rate for rate in RATES if any(rate * different.sum() >= _ERRORS for _, different in histograms)]
    beside = _scene_histogram(scenes, measured)
    fitted = [_fit_bucket(one, weights, beside, curve) for one, weights in zip(buckets, histograms, strict=True)]
    limits = np.array([_limits(different, rates) for _, different in histograms])
    several = [one for one in fitted if one.least_faces > 1]
    same, different = [one.same for one in several], [one.different for one in several]
    provenance = (
        f"in each bucket of fused faces {min(same):,} to {max(same):,} people with their own other photographs, and "
        f"{min(different):,} to {max(different):,} pairs of two people; {len(scenes.resemblance):,} pairs of people in "
        f"{len(np.unique(scenes.pictures)):,} pictures, each of which counts once"
    )
    return Calibration(tuple(fitted), curve, np.array(rates), limits, measured.embedder_sha256, provenance)


def _scene_histogram(scenes: ScenePairs, measured: OpenSet) -> NDArray[np.float64]:
    """Return the weights over ``GRID`` of people in one scene: their sum is the number of pairs, their shares are those of
    ``scene_shares``.
    """
    shares = scene_shares(scenes, measured, EDGES)
    return np.asarray(len(scenes.resemblance) * -np.diff(shares, append=0.0), np.float64)


def _folds(one: Comparisons) -> list[tuple[Weights, Weights]]:
    """Return, for each fifth of the people that has comparisons, those without and those of that fifth."""
    fold = np.random.default_rng(_SEED).integers(0, _FOLDS, one.people)
    parts = [
        (one.histograms((fold != number).astype(np.float64)), one.histograms((fold == number).astype(np.float64)))
        for number in range(_FOLDS)
    ]
    return [part for part in parts if all(weights.sum() > 0 for side in part for weights in side)]


def _held_out_cost(buckets: Sequence[Sequence[tuple[Weights, Weights]]], curve: float) -> float:
    """Return the mean cross-entropy on people left out of the fit, relative to that without any comparison.

    Args:
        buckets: folds of each bucket, see ``_folds``.
        curve: curvature of the warp.
    """
    score, costs = warped(GRID, curve), []
    for inside, outside in (fold for folds in buckets for fold in folds):
        offset, slope = logistic(score, *inside)
        for prior in PRIORS:
            nothing = cross_entropy(np.zeros(len(GRID)), *outside, prior)
            costs.append(cross_entropy(offset + slope * score, *outside, prior) / nothing)
    return float(np.mean(costs))


def _fit_bucket(one: Comparisons, weights: Weights, beside: NDArray[np.float64], curve: float) -> Bucket:
    same, different = weights
    line, low, high = _fit_line(same, different, warped(GRID, curve))
    scene, _, scene_high = _fit_line(same, beside, GRID)
    return Bucket(
        one.low_px, one.high_px, 2 if one.several else 1, *line, *scene, low, min(high, scene_high),
        round(float(same.sum())), round(float(different.sum())),
    )  # fmt: skip


def _fit_line(
    same: NDArray[np.float64], different: NDArray[np.float64], score: NDArray[np.float64]
) -> tuple[tuple[float, float], float, float]:
    """Return offset and slope, and the lowest and highest ratio that this many comparisons can show."""
    offset, slope = logistic(score, same, different)
    met = (same > 0) | (different > 0)
    return (offset, slope), *bounds((offset + slope * score)[met], same[met], different[met])


def _limits(different: NDArray[np.float64], rates: Sequence[float]) -> NDArray[np.float64]:
    """Return the resemblance that each share of the comparisons of two people reaches; infinite if there are too few."""
    above = np.cumsum(different[::-1])[::-1] / different.sum()  # share that reaches each step
    shown = [rate * different.sum() >= _ERRORS for rate in rates]
    limits = [GRID[int(np.argmax(above <= rate))] if is_shown else np.inf for rate, is_shown in zip(rates, shown, strict=True)]
    return np.array(limits, np.float64)
