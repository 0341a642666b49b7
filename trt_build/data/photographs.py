"""Training and validation pairs from photographs of any content, as the published work on super-resolution makes them.

Luma and low resolution are those of the published benchmarks (``measures/luma.py``, ``measures/resample.py``), but of 8 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trt_build.data.batches import ENDLESS, Batch, unit
from trt_build.data.degradation import Luma8
from trt_build.data.face_sets import FaceSet
from trt_build.data.general_sets import load_sets
from trt_build.errors import DataError
from trt_build.measures.luma import luma_of
from trt_build.measures.resample import cubic, to_levels
from trt_build.recipes.generator import DataSpec, Recipe

KEPT_APART = 10
"""One photograph in this many is for validation, if the recipe names no other data for it."""
_VALIDATED_PX = 192
Pair = tuple[Luma8, Luma8]


def load_photographs(source: str) -> list[Luma8]:
    """Return the luma of every picture of a zip or folder.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    return [to_levels(luma_of(picture.pixels)) for pictures in load_sets(Path(source)).values() for picture in pictures]


def split(photographs: list[Luma8], data: DataSpec) -> tuple[list[Luma8], list[Luma8]]:
    """Return the photographs for training and for validation.

    Raises:
        DataError: there are too few.
    """
    if data.validation:
        return photographs, load_photographs(data.validation)
    if len(photographs) < KEPT_APART:
        raise DataError(
            f"'{data.train}' holds {len(photographs)} photographs: one in {KEPT_APART} is kept apart for validation, so "
            f"give at least {KEPT_APART}, or data.validation."
        )
    apart = [photograph for at, photograph in enumerate(photographs) if at % KEPT_APART == KEPT_APART - 1]
    return [photograph for at, photograph in enumerate(photographs) if at % KEPT_APART != KEPT_APART - 1], apart


def pair_of(photograph: Luma8, scale: int, zoom: float = 1.0) -> Pair:
    """Return the low and high resolution of a photograph, first shrunk to ``zoom`` of its size."""
    high = (
        _resized(photograph, round(photograph.shape[0] * zoom), round(photograph.shape[1] * zoom)) if zoom < 1 else photograph
    )
    rows, columns = high.shape[0] // scale, high.shape[1] // scale
    high = high[: rows * scale, : columns * scale]
    return _resized(high, rows, columns), high


def _resized(luma: Luma8, rows: int, columns: int) -> Luma8:
    return to_levels(cubic(luma.astype(np.float64), (rows, columns)))


class PatchBatches:
    """``batches[step]``: (low, high) pairs as ``TrainBatches`` gives them, of patches at random places, rotated
    and mirrored.
    """

    def __init__(self, photographs: list[Luma8], recipe: Recipe) -> None:
        """Make the low resolution of every photograph at every zoom once.

        Raises:
            DataError: no photograph is as large as a patch.
        """
        data = recipe.data
        self._recipe, self._side = recipe, data.hr_px // data.scale
        zoomed = ((photograph, zoom) for photograph in photographs for zoom in data.zooms)
        self._pairs = [pair_of(one, data.scale, zoom) for one, zoom in zoomed if round(min(one.shape) * zoom) >= data.hr_px]
        if not self._pairs:
            raise DataError(f"No photograph is {data.hr_px} px high and wide, as data.hr_px asks for: '{data.train}'.")
        areas = np.array([low.size for low, _ in self._pairs], np.float64)
        self._shares = areas / areas.sum()

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._recipe.seed, step))
        chosen = rng.choice(len(self._pairs), self._recipe.batch, p=self._shares)
        patches = [self._patch(self._pairs[index], rng) for index in chosen]
        low, high = (np.stack(side)[:, None] for side in zip(*patches, strict=True))
        return unit(low), unit(high)

    def _patch(self, pair: Pair, rng: np.random.Generator) -> Pair:
        low, high = pair
        side, scale = self._side, self._recipe.data.scale
        top, left = (int(rng.integers(0, length - side + 1)) for length in low.shape)
        turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
        patches = []
        for image, times in ((low, 1), (high, scale)):
            cut = image[top * times : (top + side) * times, left * times : (left + side) * times]
            cut = np.rot90(cut, turns)
            patches.append(cut[:, ::-1] if mirrored else cut)
        return patches[0], patches[1]


def validation_set(photographs: list[Luma8], scale: int) -> FaceSet:
    """Return the centre of each photograph."""
    side = _VALIDATED_PX // scale
    pairs = list(_middles(photographs, scale, side))
    if not pairs:
        raise DataError(f"No photograph for validation is {_VALIDATED_PX} px high and wide.")
    low, high = (np.stack(some) for some in zip(*pairs, strict=True))
    return FaceSet("photographs", low, high)


def _middles(photographs: list[Luma8], scale: int, side: int) -> Iterator[Pair]:
    for photograph in photographs:
        if min(photograph.shape) < _VALIDATED_PX:
            continue
        low, high = pair_of(photograph, scale)
        if min(low.shape) >= side:
            top, left = ((length - side) // 2 for length in low.shape)
            cuts: list[NDArray[np.uint8]] = [
                image[top * times : (top + side) * times, left * times : (left + side) * times]
                for image, times in ((low, 1), (high, scale))
            ]
            yield cuts[0], cuts[1]
