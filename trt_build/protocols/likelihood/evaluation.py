"""How good a calibration is on people who had no part in it, with intervals over people."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.verify.likelihood import Bucket, Calibration
from trt_build.errors import DataError
from trt_build.measures.bootstrap import Interval
from trt_build.measures.likelihood import calibration_error, cllr, cllr_min, dev_pav, probability_of
from trt_build.protocols.likelihood.comparisons import GRID, Comparisons, place_of
from trt_build.protocols.open_set.scenes import ScenePairs, scene_weights

Weights = NDArray[np.float64]
BINS = 10
_DRAWS, _SEED = 24, 20261129


class Reliability(msgspec.Struct, frozen=True):
    """What was stated and what was observed, by bin of the stated probability; empty bins are left out."""

    stated: list[float]
    observed: list[Interval]


class BucketResult(msgspec.Struct, frozen=True):
    """One bucket on people of no training."""

    bucket: str
    people: int
    """With a second photograph."""
    pairs: int
    """Of two people."""
    cllr: Interval
    """Bits, of the bounded ratios."""
    cllr_min: Interval
    cllr_cal: Interval
    """The difference of the two: what the calibration loses."""
    calibration_error: Interval
    """Expected, of the probability at even odds."""
    dev_pav: Interval
    """Powers of ten."""
    match_rates: dict[str, Interval]
    """By target: the observed false match rate over it."""
    found: dict[str, Interval]
    """By target: share of the comparisons of one person that pass."""
    lowest: float
    highest: float
    """Bounds, log10."""
    reliability: Reliability
    """At even odds."""


class SceneResult(msgspec.Struct, frozen=True):
    """One bucket where two people are of one scene; each scene counts once, see ``scene_weights``."""

    bucket: str
    cllr: float
    """Bits, of the bounded ratios."""
    cllr_min: float
    calibration_error: float
    """Expected, of the probability at even odds."""


def evaluate(calibration: Calibration, buckets: Sequence[Comparisons]) -> list[BucketResult]:
    """Return what the calibration is worth in each bucket, see ``comparisons_of``.

    Raises:
        DataError: a bucket holds no comparison of one person, or is not in the calibration.
    """
    return [_evaluate(calibration, bucket_of(calibration, one), one) for one in buckets]


def evaluate_scenes(calibration: Calibration, buckets: Sequence[Comparisons], scenes: ScenePairs) -> list[SceneResult]:
    """Return what the calibration is worth where somebody else is of the scene of the picture.

    Args:
        calibration: of the embedder.
        buckets: whose comparisons of one person are taken, see ``comparisons_of``.
        scenes: pairs of people of one scene.

    Raises:
        DataError: as ``evaluate``.
    """
    beside = np.bincount(place_of(scenes.resemblance), scene_weights(scenes), len(GRID)).astype(np.float64)
    results = []
    for one in buckets:
        bucket = bucket_of(calibration, one)
        figures = _figures(calibration.log10_ratio(GRID, bucket), {}, one.histograms()[0], beside)
        results.append(SceneResult(bucket.words, figures["cllr"], figures["cllr_min"], figures["ece"]))
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
    drawn = [one.histograms(), *_drawn(one)]
    figures = [_figures(ratios, limits, *weights) for weights in drawn]
    measured = {name: measured_of([each[name] for each in figures]) for name in figures[0]}
    return BucketResult(
        bucket.words, len(np.unique(one.same_person)), round(float(one.different_weight.sum())),
        measured["cllr"], measured["cllr_min"], measured["cllr_cal"], measured["ece"], measured["dev_pav"],
        {name: measured[f"fmr {name}"] for name in limits}, {name: measured[f"tar {name}"] for name in limits},
        bucket.lowest, bucket.highest, _reliability(ratios, drawn),
    )  # fmt: skip


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
    """Return the mean stated and the observed probability of each bin; not a number where there is nothing."""
    shares = same / same.sum(), different / different.sum()
    both = np.bincount(place, shares[0] + shares[1], BINS)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(place, (shares[0] + shares[1]) * stated, BINS) / both, np.bincount(place, shares[0], BINS) / both
    return means


def measured_of(values: Sequence[float]) -> Interval:
    """Return the first value, with 1.96 standard deviations of the others on either side: draws repeat people, so that their
    middle is not the value's."""
    drawn = np.array(values[1:])
    drawn = drawn[np.isfinite(drawn)]
    away = 1.96 * float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
    return Interval(values[0], max(values[0] - away, 0.0), values[0] + away)


def _drawn(one: Comparisons) -> list[tuple[Weights, Weights]]:
    """Return the comparisons of people drawn with replacement, whose tracks and photographs come with them."""
    rng = np.random.default_rng(_SEED)
    drawn = []
    for _ in range(_DRAWS):
        counts = np.bincount(rng.integers(0, one.people, one.people), minlength=one.people).astype(np.float64)
        weights = one.histograms(counts)
        if weights[0].sum() > 0:
            drawn.append(weights)
    return drawn


def markdown(results: Sequence[BucketResult]) -> str:
    """Return the table."""
    rates = [rate for rate in results[0].match_rates if float(rate) in (1e-2, 1e-3)]
    head = ["faces", "people, pairs", "Cllr", "Cllr_min", "difference", "ECE", "devPAV",
            *(f"observed over target FMR {rate}" for rate in rates), "bounds (log10)"]  # fmt: skip
    rows = [
        [
            one.bucket, f"{one.people:,}, {one.pairs:,}", str(one.cllr), str(one.cllr_min), str(one.cllr_cal),
            str(one.calibration_error), str(one.dev_pav), *(str(one.match_rates[rate]) for rate in rates),
            f"{one.lowest:.1f} to {one.highest:.1f}",
        ]
        for one in results
    ]  # fmt: skip
    return _table([head, ["---"] * len(head), *rows])


def scene_markdown(results: Sequence[SceneResult]) -> str:
    """Return the table of people of one scene."""
    head = ["faces", "Cllr", "Cllr_min", "difference", "ECE"]
    figures = [(one.bucket, one.cllr, one.cllr_min, one.cllr - one.cllr_min, one.calibration_error) for one in results]
    rows = [[name, *(f"{value:.3f}" for value in values)] for name, *values in figures]
    return _table([head, ["---"] * len(head), *rows])


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
