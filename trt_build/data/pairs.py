"""Training batches from existing pairs of pictures."""

from __future__ import annotations

import numpy as np

from trt_build.data.batches import ENDLESS, Batch, mirrored, unit
from trt_build.data.degradation import Luma8
from trt_build.recipes.generator import Recipe


class PairBatches:
    """``batches[step]``: (low, high) as from ``TrainBatches``, mirrored alike; depends only on seed and step."""

    def __init__(self, low: Luma8, high: Luma8, recipe: Recipe) -> None:
        """``low`` (N, h, h), ``high`` (N, scale * h, scale * h)."""
        self._low, self._high, self._recipe = low, high, recipe

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._recipe.seed, step))
        chosen = rng.integers(len(self._low), size=self._recipe.batch)
        turned = rng.random(self._recipe.batch) < 0.5
        low, high = (unit(mirrored(images[chosen], turned))[:, None] for images in (self._low, self._high))
        return low, high
