"""Distance of pictures in the first blocks of dlib's face network: like LPIPS, but without further weights.

Networks trained with the same blocks (`perceptual.network: dlib`) have an advantage here.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from trt_build.data.tensors import unit_tensor
from trt_build.networks.perceptual import PerceptualLoss
from trt_build.recipes.losses import PerceptualSpec


class FeatureDistance:
    """Mean L1 distance of both pictures' features, relative to their mean magnitude in the second picture; 0 for equal ones."""

    backbone = "dlib's first blocks"

    def __init__(self) -> None:
        self._distance = PerceptualLoss(PerceptualSpec(weight=1.0))

    def __call__(self, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the distance of each pair of luma pictures, uint8 (N, H, W) each -> (N,)."""
        pairs = zip(unit_tensor(one), unit_tensor(other), strict=True)
        with torch.inference_mode():
            return np.array([float(self._distance(left[None], right[None])) for left, right in pairs])
