"""Converts pictures to torch tensors."""

from __future__ import annotations

import torch

from trt_build.data.batches import unit
from trt_build.data.degradation import Luma8


def unit_tensor(pictures: Luma8) -> torch.Tensor:
    """uint8 (N, h, w) to float32 (N, 1, h, w) in [0, 1]."""
    return torch.from_numpy(unit(pictures))[:, None]
