"""Tests a calibration on people who had no part in it, with intervals over people."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.verify.likelihood import Bucket, Calibration
from trt_build.errors import DataError
from trt_build.measures.bootstrap import Interval
from trt_build.measures.likelihood import calibration_error, cllr, cllr_min, dev_pav, pav, probability_of
from trt_build.protocols.likelihood.comparisons import GRID, Comparisons, place_of
from trt_build.protocols.open_set.scenes import ScenePairs, scene_weights

Weights = NDArray[np.float64]
BINS = 10
_DRAWS, _SEED = 24, 20261129
_SURE = 4.0
"""log10 ratio beyond which a draw of people says nothing."""


class Floor(msgspec.Struct, frozen=True):
    """Figures that perfect ratios would have with so few people: means over draws, of the best ratios in hindsight."""

    cllr_cal: float
    calibration_error: float


class Reliability(msgspec.Struct, frozen=True):
    """Stated and observed probability, by bin of the stated one; empty bins are left out."""

    stated: list[float]
    observed: list[Interval]


class BucketResult(msgspec.Struct, frozen=True):
    """Results of one bucket on people who are in no training."""

    bucket: str
    people: int
    """Number of people with a second photograph."""
    pairs: int
    """Number of pairs of two people."""
    cllr: Interval
    """Cost of the bounded ratios in bits."""
    cllr_min: Interval
    cllr_cal: Interval
    """Difference of the two: the loss due to calibration."""
    calibration_error: Interval
    """Expected calibration error of the probability at even odds."""
    dev_pav: Interval
    """Mean distance from the best ratios, in powers of ten."""
    match_rates: dict[str, Interval]
    """Observed over target false match rate, by target."""
    found: dict[str, Interval]
    """Share of the comparisons of one person that pass, by target."""
    floor: Floor
    lowest: float
    highest: float
    """Bounds, log10."""
    reliability: Reliability
    """At even odds."""


class SceneResult(msgspec.Struct, frozen=True):
    """Results of one bucket for two people in one scene; each scene counts once, see ``scene_weights``."""

    bucket: str
    cllr: Interval
    """Bits, of the bounded ratios. Intervals are over people and scenes."""
    cllr_min: Interval
    cllr_cal: Interval
    """Difference of the two: the loss due to calibration."""
    calibration_error: Interval
    """Expected calibration error of the probability at even odds."""
    floor: Floor


def evaluate(calibration: Calibration, buckets: Sequence[Comparisons]) -> list[BucketResult]:
    """Return the results of a calibration in each bucket, see ``comparisons_of``.

    Raises:
        DataError: a bucket has no comparison of one person, or is not in the calibration.
    """
    return [_evaluate(calibration, bucket_of(calibration, one), one) for one in buckets]


def evaluate_scenes(calibration: Calibration, buckets: Sequence[Comparisons], scenes: ScenePairs) -> list[SceneResult]:
    """Return the results of a calibration if the other person is in the picture's scene.

    Args:
        calibration: of the embedder.
        buckets: provide the comparisons of one person, see ``comparisons_of``.
        scenes: pairs of people in one scene.

    Raises:
        DataError: as for ``evaluate``.
    """
    beside, results = _scenes_drawn(scenes), []
    for one in buckets:
        bucket = bucket_of(calibration, one)
        drawn = [(same, other) for (same, _), other in zip(_drawn(one), beside, strict=False)]
        found = _measured(calibration.log10_ratio(GRID, bucket), {}, drawn)
        results.append(
            SceneResult(bucket.words, found["cllr"], found["cllr_min"], found["cllr_cal"], found["ece"], _floor(drawn))
        )
    return results


def bucket_of(calibration: Calibration, one: Comparisons) -> Bucket:
    """Return the calibration's bucket of these comparisons.

    Raises:
        DataError: there is none.
    """
    found = calibration.bucket_of(one.low_px, 2 if one.several else 1)
    if found is None or not len(one.same):
        raise DataError(f"Faces from {one.low_px:g} px have no bucket in the calibration, or no second photographs.")
    return found


def _evaluate(calibration: Calibration, bucket: Bucket, one: Comparisons) -> BucketResult:
    ratios = calibration.log10_ratio(GRID, bucket)
    limits = {f"{rate:g}": calibration.limit(bucket, rate) for rate in calibration.rates.tolist()}
    limits = {rate: limit for rate, limit in limits.items() if np.isfinite(limit)}
    drawn = _drawn(one)
    measured = _measured(ratios, limits, drawn)
    return BucketResult(
        bucket.words, len(np.unique(one.same_person)), round(float(one.different_weight.sum())),
        measured["cllr"], measured["cllr_min"], measured["cllr_cal"], measured["ece"], measured["dev_pav"],
        {name: measured[f"fmr {name}"] for name in limits}, {name: measured[f"tar {name}"] for name in limits},
        _floor(drawn), bucket.lowest, bucket.highest, _reliability(ratios, drawn),
    )  # fmt: skip


def _measured(ratios: Weights, limits: dict[str, float], drawn: Sequence[tuple[Weights, Weights]]) -> dict[str, Interval]:
    figures = [_figures(ratios, limits, *weights) for weights in drawn]
    return {name: measured_of([each[name] for each in figures]) for name in figures[0]}


def _floor(drawn: Sequence[tuple[Weights, Weights]]) -> Floor:
    """Return the figures of the best ratios for the first draw on the other draws."""
    best = np.clip(pav(GRID, *drawn[0]), -_SURE, _SURE)
    found = [_figures(best, {}, *weights) for weights in drawn[1:]]
    return Floor(*(float(np.mean([each[name] for each in found])) for name in ("cllr_cal", "ece")))


def _figures(ratios: Weights, limits: dict[str, float], same: Weights, different: Weights) -> dict[str, float]:
    cost, least = cllr(ratios, same, different), cllr_min(GRID, same, different)
    figures = {
        "cllr": cost, "cllr_min": least, "cllr_cal": cost - least,
        "ece": calibration_error(ratios, same, different, bins=BINS),
        "dev_pav": dev_pav(ratios, same, different),
    }  # fmt: skip
    for name, limit in limits.items():
        passes = limit <= GRID
        figures[f"fmr {name}"] = float(different[passes].sum() / different.sum()) / float(name)
        figures[f"tar {name}"] = float(same[passes].sum() / same.sum())
    return figures


def _reliability(ratios: Weights, drawn: Sequence[tuple[Weights, Weights]]) -> Reliability:
    stated = probability_of(ratios, 0.5)
    place = np.minimum((stated * BINS).astype(np.int64), BINS - 1)
    binned = [_binned(place, stated, *weights) for weights in drawn]
    filled = np.flatnonzero(np.isfinite(binned[0][1]))
    observed = [measured_of([float(each[1][at]) for each in binned]) for at in filled]
    return Reliability(binned[0][0][filled].tolist(), observed)


def _binned(place: NDArray[np.int64], stated: Weights, same: Weights, different: Weights) -> tuple[Weights, Weights]:
    """Return the mean stated and the observed probability of each bin; NaN for an empty bin."""
    shares = same / same.sum(), different / different.sum()
    both = np.bincount(place, shares[0] + shares[1], BINS)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(place, (shares[0] + shares[1]) * stated, BINS) / both, np.bincount(place, shares[0], BINS) / both
    return means


def measured_of(values: Sequence[float]) -> Interval:
    """Return the first value, with 1.96 standard deviations of the others on either side: draws repeat people, so their mean is
    biased.
    """
    drawn = np.array(values[1:])
    drawn = drawn[np.isfinite(drawn)]
    away = 1.96 * float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
    return Interval(values[0], max(values[0] - away, 0.0), values[0] + away)


def _drawn(one: Comparisons) -> list[tuple[Weights, Weights]]:
    """Return the comparisons, then those of people drawn with replacement, with all their tracks and photographs."""
    rng = np.random.default_rng(_SEED)
    drawn = [one.histograms()]
    for _ in range(_DRAWS):
        counts = np.bincount(rng.integers(0, one.people, one.people), minlength=one.people).astype(np.float64)
        weights = one.histograms(counts)
        if weights[0].sum() > 0:
            drawn.append(weights)
    return drawn


def _scenes_drawn(scenes: ScenePairs) -> list[Weights]:
    """Return the distribution over ``GRID`` of people in one scene, then the same for scenes drawn with replacement."""
    rng = np.random.default_rng(_SEED + 1)
    place, weights = place_of(scenes.resemblance), scene_weights(scenes)
    pictures, of = np.unique(scenes.pictures, return_inverse=True)
    count = len(pictures)
    draws = [np.ones(count), *(np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(_DRAWS))]
    return [np.bincount(place, weights * draw[of], len(GRID)).astype(np.float64) for draw in draws]


def markdown(results: Sequence[BucketResult]) -> str:
    """Return the table."""
    rates = [rate for rate in results[0].match_rates if float(rate) in (1e-2, 1e-3)]
    head = ["faces", "people, pairs", "Cllr", "Cllr_min", "difference", "ECE", "floor of both", "devPAV",
            *(f"observed over target FMR {rate}" for rate in rates), "bounds (log10)"]  # fmt: skip
    rows = [
        [
            one.bucket, f"{one.people:,}, {one.pairs:,}", str(one.cllr), str(one.cllr_min), str(one.cllr_cal),
            str(one.calibration_error), _floor_words(one.floor), str(one.dev_pav),
            *(str(one.match_rates[rate]) for rate in rates),
            f"{one.lowest:.1f} to {one.highest:.1f}",
        ]
        for one in results
    ]  # fmt: skip
    return _table([head, ["---"] * len(head), *rows])


def scene_markdown(results: Sequence[SceneResult]) -> str:
    """Return the table of people in one scene."""
    head = ["faces", "Cllr", "Cllr_min", "difference", "ECE", "floor of both"]
    rows = [
        [one.bucket, *map(str, (one.cllr, one.cllr_min, one.cllr_cal, one.calibration_error)), _floor_words(one.floor)]
        for one in results
    ]
    return _table([head, ["---"] * len(head), *rows])


def _floor_words(one: Floor) -> str:
    return f"{one.cllr_cal:.3f}, {one.calibration_error:.3f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
