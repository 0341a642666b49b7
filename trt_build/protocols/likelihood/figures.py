"""Pictures of a calibration: reliability, Tippett and cross-entropy, by size of the faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.verify.likelihood import Calibration
from trt_build.measures.likelihood import cross_entropy, pav
from trt_build.optional import require
from trt_build.protocols.likelihood.comparisons import GRID, Comparisons
from trt_build.protocols.likelihood.evaluation import BucketResult, bucket_of

_COLOURS = {False: "#d55e00", True: "#0072b2"}
_NAMES = {False: "one face", True: "several faces"}
_PRIORS = np.linspace(-3, 3, 61)
"""log10 odds."""


def write_figures(
    calibration: Calibration, buckets: Sequence[Comparisons], results: Sequence[BucketResult], path: Path
) -> None:
    """Write one picture: a column for each size, single and fused faces in each panel.

    Raises:
        MissingRuntimeError: matplotlib is not installed.
        DataError: see ``bucket_of``.
    """
    require("matplotlib", "Drawing a calibration")
    from matplotlib.figure import Figure

    sizes = list(dict.fromkeys(one.low_px for one in buckets))
    page = Figure(figsize=(3.3 * len(sizes), 9.2), layout="constrained", dpi=110)
    axes = page.subplots(3, len(sizes), squeeze=False)
    for column, low in enumerate(sizes):
        for one, result in zip(buckets, results, strict=True):
            if one.low_px != low:
                continue
            _reliability(axes[0][column], result, one.several)
            _tippett(axes[1][column], calibration, one)
            _cross_entropy(axes[2][column], calibration, one)
        axes[0][column].set_title(bucket_of(calibration, next(one for one in buckets if one.low_px == low)).words.split(",")[0])
    for row, place in zip(axes, ("upper left", "upper right", "upper left"), strict=True):
        row[0].legend(edgecolor="none", framealpha=0.9, fontsize=6, loc=place)
        for panel in row:
            panel.grid(alpha=0.2, linewidth=0.5)
            panel.tick_params(labelsize=7)
    page.savefig(path)


def _reliability(axes: Any, result: BucketResult, several: bool) -> None:
    found = result.reliability
    middle = [each.value for each in found.observed]
    away = [[each.value - each.low for each in found.observed], [each.high - each.value for each in found.observed]]
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8)
    axes.errorbar(found.stated, middle, np.maximum(away, 0), color=_COLOURS[several], marker="o", markersize=3,
                  linewidth=1, elinewidth=0.8, label=_NAMES[several])  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("stated probability (even odds)", fontsize=8)
    axes.set_ylabel("observed (95 %, over people)", fontsize=8)


def _tippett(axes: Any, calibration: Calibration, one: Comparisons) -> None:
    ratios = calibration.log10_ratio(GRID, bucket_of(calibration, one))
    for weights, line, name in zip(one.histograms(), ("-", "--"), ("one person", "two people"), strict=True):
        above = np.cumsum(weights[::-1])[::-1] / weights.sum()
        axes.plot(ratios, above, line, color=_COLOURS[one.several], linewidth=1.2, label=f"{_NAMES[one.several]}: {name}")
    axes.axvline(0, color="#888888", linewidth=0.8)
    axes.set(ylim=(1e-4, 1.3), yscale="log", xlim=(-2, 5.2))
    axes.set_xlabel("log10 likelihood ratio", fontsize=8)
    axes.set_ylabel("share with at least this", fontsize=8)


def _cross_entropy(axes: Any, calibration: Calibration, one: Comparisons) -> None:
    same, different = one.histograms()
    priors = 10**_PRIORS / (1 + 10**_PRIORS)
    lines = {
        "": ("-", calibration.log10_ratio(GRID, bucket_of(calibration, one))),
        ", best (PAV)": (":", pav(GRID, same, different)),
    }
    for name, (line, ratios) in lines.items():
        bits = [cross_entropy(ratios, same, different, prior) for prior in priors.tolist()]
        axes.plot(_PRIORS, bits, line, color=_COLOURS[one.several], linewidth=1.2, label=f"{_NAMES[one.several]}{name}")
    if not one.several:
        nothing = [cross_entropy(np.zeros(len(GRID)), same, different, prior) for prior in priors.tolist()]
        axes.plot(_PRIORS, nothing, color="#888888", linewidth=0.8, label="no comparison")
    axes.set(ylim=(0, 1), xlim=(-3, 3))
    axes.set_xlabel("prior, log10 odds", fontsize=8)
    axes.set_ylabel("cross-entropy, bits", fontsize=8)
