"""Measures the quality of likelihood ratios, and fits them, over points with a weight in each of two classes.

Every function takes points in the order of their score: (N,) log10 likelihood ratios or scores, and the weights (N,) that
comparisons of one person (``same``) and of two (``different``) have there. Weights that are all 1, or 0 in the other class, are
the usual case of single comparisons. Both classes count alike, whatever their sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trt_build.optional import require

Values = NDArray[np.float64]
_LN10 = float(np.log(10.0))
_STEP = 0.01
"""Step of log10 ratios in the search for bounds."""


def cllr(log10_ratio: Values, same: Values, different: Values) -> float:
    """Return the cost of the ratios in bits: 0 is perfect, 1 says nothing (Brümmer and du Preez 2006)."""
    with np.errstate(invalid="ignore"):
        misses = same * np.logaddexp(0.0, -_LN10 * log10_ratio)
        alarms = different * np.logaddexp(0.0, _LN10 * log10_ratio)
    costs = misses[same > 0].sum() / same.sum(), alarms[different > 0].sum() / different.sum()
    return float(sum(costs) / 2 / np.log(2.0))


def pav(score: Values, same: Values, different: Values) -> Values:
    """Return the best-fitting log10 ratios that rise with the score (pool adjacent violators); they may be infinite.

    Args:
        score: ascending.
        same: weights, see the module.
        different: likewise.
    """
    require("scipy", "the best calibration in hindsight")
    from scipy.optimize import isotonic_regression

    points, place = np.unique(score, return_inverse=True)
    shares = [np.bincount(place, weights / weights.sum(), len(points)) for weights in (same, different)]
    weights = shares[0] + shares[1]
    filled = weights > 0
    probability = isotonic_regression(shares[0][filled] / weights[filled], weights=weights[filled]).x
    with np.errstate(divide="ignore"):
        ratio = (np.log(probability) - np.log1p(-np.minimum(probability, 1.0))) / _LN10
    at = np.maximum(np.cumsum(filled) - 1, 0)
    return np.asarray(ratio[at][place], np.float64)


def cllr_min(score: Values, same: Values, different: Values) -> float:
    """Return the cost of the best ratios that rise with the score: the part that is due to the score itself."""
    return cllr(pav(score, same, different), same, different)


def dev_pav(log10_ratio: Values, same: Values, different: Values) -> float:
    """Return the mean distance of ratios from the best ones that rise with them, in powers of ten (Vergeer 2021)."""
    kept = (same > 0) | (different > 0)
    points, first = np.unique(log10_ratio[kept], return_index=True)
    best = pav(log10_ratio, same, different)[kept][first]
    finite = np.isfinite(best)
    x, away = points[finite], best[finite] - points[finite]
    if len(x) < 2:
        return float(np.abs(away).sum())
    ends = np.abs(away[:-1]), np.abs(away[1:])
    total = np.maximum(ends[0] + ends[1], 1e-300)
    crosses = away[:-1] * away[1:] < 0
    mean = np.where(crosses, (ends[0] ** 2 + ends[1] ** 2) / (2 * total), total / 2)
    return float((mean * np.diff(x)).sum() / (x[-1] - x[0]))


def probability_of(log10_ratio: Values, prior: float) -> Values:
    """Return the posterior probability that it is one person, given the prior."""
    odds = _LN10 * log10_ratio + np.log(prior / (1 - prior))
    return np.asarray(1 / (1 + np.exp(-odds)), np.float64)


def calibration_error(log10_ratio: Values, same: Values, different: Values, bins: int = 10) -> float:
    """Return the expected calibration error, where both are equally likely beforehand: mean distance of stated and observed
    probability, over bins of the stated one."""
    stated = probability_of(log10_ratio, 0.5)
    weights = 0.5 * same / same.sum(), 0.5 * different / different.sum()
    place = np.minimum((stated * bins).astype(np.int64), bins - 1)
    away = (weights[0] + weights[1]) * stated - weights[0]
    return float(np.abs(np.bincount(place, away, bins)).sum())


def cross_entropy(log10_ratio: Values, same: Values, different: Values, prior: float) -> float:
    """Return the cross-entropy in bits for a prior probability (Ramos et al. 2013)."""
    odds = np.log(prior / (1 - prior))
    with np.errstate(invalid="ignore"):
        misses = same * np.logaddexp(0.0, -_LN10 * log10_ratio - odds)
        alarms = different * np.logaddexp(0.0, _LN10 * log10_ratio + odds)
    shares = misses[same > 0].sum() / same.sum(), alarms[different > 0].sum() / different.sum()
    return float((prior * shares[0] + (1 - prior) * shares[1]) / np.log(2.0))


def logistic(score: Values, same: Values, different: Values, prior: float = 0.5) -> tuple[float, float]:
    """Return offset and slope of the line over the score that best fits the log10 ratio (logistic regression).

    Args:
        score: see the module.
        same: likewise.
        different: likewise.
        prior: probability that it is one person, above 0 and below 1, for which the line is fitted: with a small prior rare
            scores count more.

    Raises:
        ValueError: the classes do not overlap, so no line is best.
    """
    met = (same > 0) | (different > 0)
    score, same, different = score[met], same[met], different[met]
    middle, width = float(np.average(score, weights=same + different)), max(float(np.ptp(score)), 1e-12)
    design = np.stack([np.ones_like(score), (score - middle) / width], axis=1)
    positive, negative = 2 * prior * same / same.sum(), 2 * (1 - prior) * different / different.sum()
    line = np.zeros(2)
    for _ in range(100):
        stated = 1 / (1 + np.exp(-design @ line))
        slope = design.T @ ((positive + negative) * stated - positive)
        bend = (design * ((positive + negative) * stated * (1 - stated))[:, None]).T @ design
        if not np.isfinite(bend).all() or np.linalg.cond(bend) > 1e14:
            break
        step = np.linalg.solve(bend, slope)
        line -= step
        if np.abs(step).max() < 1e-12:
            offset = float(line[0] - line[1] * middle / width - np.log(prior / (1 - prior)))
            return offset / _LN10, float(line[1] / width) / _LN10
    raise ValueError("the comparisons of one person and of two do not overlap: no line is best")


def bounds(log10_ratio: Values, same: Values, different: Values) -> tuple[float, float]:
    """Return the lowest and highest log10 ratio that this many comparisons can show (ELUB: Vergeer et al. 2016).

    A ratio is extrapolated if one more, entirely misleading comparison in each class would make decisions by the ratios cost
    more than decisions without them. Here the sums of the weights matter: they are the numbers of independent comparisons.
    """
    counts = float(same.sum()), float(different.sum())
    held = np.clip(log10_ratio, -9.0, 9.0)
    least = max(float(held.min()), -np.log10(counts[0] + 1))
    most = min(float(held.max()), np.log10(counts[1] + 1))
    steps = min(0, int(np.floor_divide(least, _STEP))), max(0, int(np.floor_divide(most, _STEP)) + 1)
    limits = np.linspace(steps[0] * _STEP, steps[1] * _STEP, steps[1] - steps[0] + 1)
    order = np.argsort(held, kind="stable")
    reached = np.searchsorted(10 ** held[order], 10**limits, side="right")
    below = [np.concatenate([[0.0], np.cumsum(weights[order])])[reached] for weights in (same, different)]
    accepted = (counts[0] - below[0]) / (counts[0] + 1), (counts[1] - below[1] + 1) / (counts[1] + 1)
    cost = 1 - accepted[0] + 10**limits * accepted[1]
    neutral = np.where(10**limits < 1, 10**limits, 1.0)
    worse = neutral / cost < 1
    low = np.max(limits[(limits <= 0) & worse] + _STEP, initial=limits.min())
    high = np.min(limits[(limits >= 0) & worse] - _STEP, initial=limits.max())
    return min(float(low), 0.0), max(float(high), 0.0)
