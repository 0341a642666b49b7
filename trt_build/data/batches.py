"""Training batches as a pure function of the step number.

`TrainBatches[step]` depends on the seed and the step alone, so a resumed run sees exactly the
batches it would have seen, whatever the number of worker processes. Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from trt_build.data import degradation
from trt_build.data.degradation import Luma8, Random
from trt_build.recipes.degradations import MixtureSpec
from trt_build.recipes.generator import Recipe

BANKS = ("h264", "learned")
"""Kinds whose small faces are made beforehand."""
KINDS = ("clean", "first_order", "second_order", *BANKS)
ENDLESS = 10**9

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


class TrainBatches:
    """(low, high) luma pairs: float32 (B, 1, h, w) and (B, 1, h*scale, w*scale) in [0, 1]."""

    def __init__(self, images: Luma8, banks: Mapping[str, Luma8], recipe: Recipe) -> None:
        """`images` uint8 (N, S, S) as stored; `banks`: uint8 (passes, N, h, h) by their kind, of `BANKS`."""
        self._images = images
        self._banks = banks
        self._recipe = recipe
        self._epoch, self._order = -1, np.arange(0)
        self._shares = _shares(recipe.mixture, banks)
        self._late = [(late.from_step, _shares(late.mixture, banks)) for late in recipe.late]

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._recipe.seed, step))
        shares, data = self.shares(step), self._recipe.data
        places = range(self._recipe.batch)
        small = data.hr_px // data.scale
        if data.sizes_px:
            small = int(rng.choice(data.sizes_px))
        if small * data.scale != data.hr_px:
            shares = _only(KINDS[: -len(BANKS)], shares)
        pairs = [self._pair(self._index(step, place), small, shares, rng) for place in places]
        low, high = (np.stack(side)[:, None] for side in zip(*pairs, strict=True))
        return unit(low), unit(high)

    def _index(self, step: int, position: int) -> int:
        """Return the face at this position: each epoch has a new seeded order."""
        epoch, place = divmod(step * self._recipe.batch + position, len(self._images))
        if epoch != self._epoch:
            rng = np.random.default_rng((self._recipe.seed, 1_000_003, epoch))
            self._epoch, self._order = epoch, rng.permutation(len(self._images))
        return int(self._order[place])

    def shares(self, step: int) -> NDArray[np.float64]:
        """Probabilities of `KINDS` at this step."""
        due = [shares for from_step, shares in self._late if step >= from_step]
        return due[-1] if due else self._shares

    def _pair(self, index: int, small: int, shares: NDArray[np.float64], rng: Random) -> tuple[Luma8, Luma8]:
        size = small * self._recipe.data.scale
        kind = KINDS[rng.choice(len(KINDS), p=shares)]
        if kind in BANKS:
            bank = self._banks[kind]
            low = bank[rng.integers(len(bank)), index]
            high = self._full(index, size)
        else:
            high = self._augmented(index, size, rng)
            low = self._degraded(kind, high, small, rng)
        if rng.random() < 0.5:
            low, high = low[:, ::-1], high[:, ::-1]
        return low, high

    def _degraded(self, kind: str, high: Luma8, small: int, rng: Random) -> Luma8:
        if kind == "clean":
            method = "area" if rng.random() < self._recipe.data.area_share else "antialiased_cubic"
            return degradation.clean(high, small, method)
        if kind == "first_order":
            return degradation.first_order(high, small, rng)
        return degradation.second_order(high, small, rng)

    def _full(self, index: int, size: int) -> Luma8:
        face = cv2.resize(self._images[index], (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(face, dtype=np.uint8)

    def _augmented(self, index: int, size: int, rng: Random) -> Luma8:
        data = self._recipe.data
        if size != data.hr_px or rng.random() >= data.native_crop:
            return self._full(index, size)
        image = self._images[index]
        y, x = rng.integers(0, image.shape[0] - size + 1, 2)
        return np.ascontiguousarray(image[y : y + size, x : x + size])


def _shares(mixture: MixtureSpec, banks: Collection[str]) -> NDArray[np.float64]:
    """Shares in the order of `KINDS`, summing to 1; a kind without a bank has share 0."""
    shares = np.array([getattr(mixture, kind) for kind in KINDS], dtype=np.float64)
    return _only([kind for kind in KINDS if kind not in BANKS or kind in banks], shares)


def _only(kinds: Collection[str], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.where([kind in kinds for kind in KINDS], shares, 0)
    return np.asarray(kept / kept.sum(), dtype=np.float64)


def mirrored(pictures: Luma8, which: NDArray[np.bool_]) -> Luma8:
    """Return (N, h, w) pictures, mirrored where ``which`` (N,) is true."""
    return np.where(which[:, None, None], pictures[:, :, ::-1], pictures)


def unit(levels: Luma8) -> NDArray[np.float32]:
    """8-bit levels to [0, 1]."""
    return np.asarray(levels, dtype=np.float32) / np.float32(255)
