"""Scores enlarged pictures against their truth, one value for each picture, so that any draw of them can be averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trt_build.measures.bootstrap import Draws
from trt_build.measures.false_detail import band, energies
from trt_build.measures.luma import Luma
from trt_build.measures.metrics import HIGHEST_DB, lr_consistency, psnr, shave, ssim
from trt_build.measures.resample import to_levels
from trt_build.protocols.generators.results import Column, Drawn

Values = NDArray[np.float64]

COLUMNS = (
    Column("psnr_db", "PSNR dB", 2, 1, "Peak signal-to-noise ratio (peak 255), without a border of `scale` px.", True),
    Column("ssim", "SSIM", 4, 1, "Structural similarity (Wang 2004), Gaussian 11x11, sigma 1.5, without the same border."),
    Column(
        "lr_consistency_db", "LR dB", 1, 0,
        "PSNR of the result, reduced again by area, against the input. Invented detail lowers it, and so does removing noise.",
    ),
    Column(
        "false_detail", "false detail", 3, -1,
        "Energy above the input's Nyquist frequency that the truth does not have, relative to the truth's energy there.",
    ),
    Column("lpips", "LPIPS", 4, -1, "Learned perceptual distance (Zhang 2018) on three equal channels."),
    Column(
        "features", "features", 3, -1,
        "Distance between features of dlib's first blocks, relative to their size; used if LPIPS has no weights.",
    ),
)  # fmt: skip


class Perceptual(Protocol):
    """A distance of luma pictures, uint8 (N, H, W) each -> (N,)."""

    backbone: str

    def __call__(self, one: NDArray[np.uint8], other: NDArray[np.uint8], /) -> Values: ...


@dataclass(frozen=True)
class PictureScores:
    """One value for each of N pictures, (N,) each."""

    psnr_db: Values
    ssim: Values
    lr_consistency_db: Values
    false_energy: Values
    """Mean square of false detail, squared levels."""
    true_energy: Values
    """Mean square of the truth's detail in the same band."""
    distances: Mapping[str, Values] = field(default_factory=dict)
    """Perceptual distances by the key of their column."""

    def drawn(self, draws: Draws) -> dict[str, Drawn]:
        """Return each figure for each draw, by the key of its column; false detail is a ratio of sums."""
        there = draws.means(self.true_energy)
        rate = np.divide(draws.means(self.false_energy), there, out=np.full_like(there, np.nan), where=there > 1e-12)
        return {
            "psnr_db": draws.means(self.psnr_db),
            "ssim": draws.means(self.ssim),
            "lr_consistency_db": draws.means(self.lr_consistency_db),
            "false_detail": rate,
            **{key: draws.means(values) for key, values in self.distances.items()},
        }


def score_pictures(
    results: Iterable[Luma],
    truths: Iterable[Luma],
    lows: Iterable[Luma],
    scale: int,
    perceptual: Mapping[str, Perceptual] | None = None,
) -> PictureScores:
    """Score enlarged pictures.

    Args:
        results: (H, W) each, 0 to 255.
        truths: (H, W) each, of the same sizes.
        lows: what was enlarged, (H / scale, W / scale) each.
        scale: also the border that is cut off.
        perceptual: distances of whole pictures, by the key of their column.
    """
    table = []
    distances: dict[str, list[float]] = {key: [] for key in perceptual or {}}
    for result, truth, low in zip(results, truths, lows, strict=True):
        inner, true_inner = shave(result, scale), shave(truth, scale)
        false, there = energies(band(inner, scale), band(true_inner, scale))
        noise = min(psnr(inner, true_inner, 0), HIGHEST_DB)
        table.append((noise, ssim(inner, true_inner, 0), lr_consistency(result, low), float(false), float(there)))
        for key, distance in (perceptual or {}).items():
            one, other = (to_levels(np.asarray(picture, np.float64)) for picture in (result, truth))
            distances[key].append(float(distance(one[None], other[None])[0]))
    noises, alike, consistent, falsehoods, details = np.array(table, np.float64).T
    far = {key: np.array(values) for key, values in distances.items()}
    return PictureScores(noises, alike, consistent, falsehoods, details, far)
