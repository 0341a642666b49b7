"""Training and validation pairs from photographs of any content, as the published work on super-resolution makes them.

Luma is ITU-R BT.601's in video range, 16 to 235 (MATLAB's ``rgb2ycbcr``); low resolution is made by an antialiased bicubic with
a = -0.5 (MATLAB's ``imresize``, here Pillow's) and rounded to 8 bits.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trt_build.errors import DataError
from trt_build.evaluate.face_sets import FaceSet
from trt_build.train.dataset import ENDLESS, Batch, unit
from trt_build.train.degradation import Luma8, to_uint8
from trt_build.train.faces import encoded
from trt_build.train.recipe import DataSpec, Recipe

KEPT_APART = 10
"""Every so-manieth photograph is for validation, where the recipe names no other data for it."""
_VALIDATED_PX = 192
_WEIGHTS = np.array([24.966, 128.553, 65.481], np.float32)
"""Of blue, green and red between 0 and 1."""
Pair = tuple[Luma8, Luma8]


def load_photographs(source: str) -> list[Luma8]:
    """Return the luma of every picture of a zip or folder, in the order of their names.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    path = Path(source)
    if not path.exists():
        raise DataError(f"The photographs '{path}' do not exist.")
    found = []
    try:
        for name, data in encoded(path):
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if bgr is None:
                raise DataError(f"'{name}' in '{path}' is not a picture.")
            found.append(luma_of(np.asarray(bgr, np.uint8)))
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"The photographs '{path}' cannot be read: {error}.") from None
    if not found:
        raise DataError(f"The photographs '{path}' hold no picture.")
    return found


def luma_of(bgr: Luma8) -> Luma8:
    """Return (H, W, 3) uint8 as luma, (H, W) uint8 16 to 235."""
    return to_uint8(np.asarray(16 + (bgr.astype(np.float32) / 255) @ _WEIGHTS, np.float32))


def split(photographs: list[Luma8], data: DataSpec) -> tuple[list[Luma8], list[Luma8]]:
    """Return those to train on and those to validate on."""
    if data.validation:
        return photographs, load_photographs(data.validation)
    apart = [photograph for at, photograph in enumerate(photographs) if at % KEPT_APART == KEPT_APART - 1]
    return [photograph for at, photograph in enumerate(photographs) if at % KEPT_APART != KEPT_APART - 1], apart


def pair_of(photograph: Luma8, scale: int, zoom: float = 1.0) -> Pair:
    """Return low and high resolution of a photograph that is shrunk to ``zoom`` of its size first."""
    high = (
        _resized(photograph, round(photograph.shape[0] * zoom), round(photograph.shape[1] * zoom)) if zoom < 1 else photograph
    )
    rows, columns = high.shape[0] // scale, high.shape[1] // scale
    high = high[: rows * scale, : columns * scale]
    return _resized(high, rows, columns), high


def _resized(luma: Luma8, rows: int, columns: int) -> Luma8:
    image = Image.fromarray(luma.astype(np.float32)).resize((columns, rows), Image.Resampling.BICUBIC)
    return to_uint8(np.asarray(image, np.float32))


class PatchBatches:
    """``batches[step]``: (low, high) pairs as ``TrainBatches`` gives them, of patches at random places, turned and mirrored."""

    def __init__(self, photographs: list[Luma8], recipe: Recipe) -> None:
        """Make low resolution of every photograph at every zoom once.

        Raises:
            DataError: no photograph is as large as a patch.
        """
        data = recipe.data
        self._recipe, self._side = recipe, data.hr_px // data.scale
        pairs = (pair_of(photograph, data.scale, zoom) for photograph in photographs for zoom in data.zooms)
        self._pairs = [(low, high) for low, high in pairs if min(low.shape) >= self._side]
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
    """Return the middle of each photograph."""
    side = _VALIDATED_PX // scale
    pairs = list(_middles(photographs, scale, side))
    if not pairs:
        raise DataError(f"No photograph for validation is {_VALIDATED_PX} px high and wide.")
    low, high = (np.stack(some) for some in zip(*pairs, strict=True))
    return FaceSet("photographs", low, high)


def _middles(photographs: list[Luma8], scale: int, side: int) -> Iterator[Pair]:
    for photograph in photographs:
        low, high = pair_of(photograph, scale)
        if min(low.shape) >= side:
            top, left = ((length - side) // 2 for length in low.shape)
            cuts: list[NDArray[np.uint8]] = [
                image[top * times : (top + side) * times, left * times : (left + side) * times]
                for image, times in ((low, 1), (high, scale))
            ]
            yield cuts[0], cuts[1]
