"""Bicubic enlargement by a whole factor as a fixed 5x5 convolution: exact, and exportable everywhere.

It is OpenCV's INTER_CUBIC (a = -0.75, no antialias filter, replicated border). Generators add what they
learn to it, so that with a last convolution of zeros they start out as bicubic enlargement.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

CUBIC_A = -0.75
"""Cubic coefficient of OpenCV and torch (Pillow uses -0.5)."""


def _cubic(distance: float) -> float:
    """Keys' cubic kernel at `distance` pixels, with a = CUBIC_A."""
    x = abs(distance)
    if x <= 1:
        return (CUBIC_A + 2) * x**3 - (CUBIC_A + 3) * x**2 + 1
    if x < 2:
        return CUBIC_A * (x**3 - 5 * x**2 + 8 * x - 4)
    return 0.0


def bicubic_kernel(scale: int) -> NDArray[np.float32]:
    """Bicubic enlargement as a convolution: float32 (scale^2, 1, 5, 5), channel = dy*scale + dx."""
    taps = np.zeros((scale, 5), dtype=np.float64)
    for phase in range(scale):
        position = (phase + 0.5) / scale - 0.5
        for tap in range(-2, 3):
            taps[phase, tap + 2] = _cubic(position - tap)
    kernel = np.einsum("ai,bj->abij", taps, taps)
    return np.asarray(kernel.reshape(scale * scale, 1, 5, 5), dtype=np.float32)


class Bicubic(nn.Module):
    """Luma (N, 1, H, W) -> (N, 1, scale*H, scale*W); it has no weights and adds nothing to a state dict."""

    kernel: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("kernel", torch.from_numpy(bicubic_kernel(scale)), persistent=False)

    def planes(self, luma: Tensor) -> Tensor:
        """The enlarged picture before its pixel shuffle, (N, scale^2, H, W)."""
        return functional.conv2d(functional.pad(luma, (2, 2, 2, 2), mode="replicate"), self.kernel)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W)."""
        return functional.pixel_shuffle(self.planes(luma), self.scale)


def start_at_zero(convolution: nn.Conv2d) -> None:
    """Make a convolution return 0 until it has learnt."""
    nn.init.zeros_(convolution.weight)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
