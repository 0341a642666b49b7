"""`compact`: a small residual luma generator that starts out as bicubic enlargement.

    conv3 1->w; blocks x [conv3, LeakyReLU(0.1), conv3, x0.2, + skip]; conv3 + long skip;
    conv3 w->s^2 (zero-initialised) + bicubic as s^2 channels; PixelShuffle(s)

No batch norm and no attention, so that every runtime takes it. The last convolution is zero
at the start, so step 0 *is* bicubic (OpenCV's INTER_CUBIC: a = -0.75, no antialias filter,
replicated border), written as a fixed 5x5 convolution, exact and exportable everywhere.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

CUBIC_A = -0.75
"""Cubic coefficient of OpenCV and torch (Pillow uses -0.5)."""

NEGATIVE_SLOPE = 0.1
RESIDUAL_SCALE = 0.2


class CompactOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Size of the network: `width` channels, `blocks` residual blocks, integer `scale`."""

    width: int = 48
    blocks: int = 8
    scale: int = 4


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


class ResidualBlock(nn.Module):
    """conv3, LeakyReLU, conv3, scaled by 0.2 and added to the input (EDSR without batch norm)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        inner = functional.leaky_relu(self.first(x), NEGATIVE_SLOPE)
        outer: Tensor = self.second(inner)
        return x + RESIDUAL_SCALE * outer


class Compact(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> (N, 1, scale*H, scale*W), about [0, 1], not clamped."""

    bicubic: Tensor

    def __init__(self, options: CompactOptions) -> None:
        super().__init__()
        self.options = options
        width, planes = options.width, options.scale**2
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(options.blocks)))
        self.tail = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, planes, 3, padding=1)
        kernel = torch.from_numpy(bicubic_kernel(options.scale))
        self.register_buffer("bicubic", kernel, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=NEGATIVE_SLOPE)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.last.weight)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W) by `options.scale`."""
        shallow = self.head(luma)
        deep = self.tail(self.body(shallow)) + shallow
        padded = functional.pad(luma, (2, 2, 2, 2), mode="replicate")
        planes: Tensor = self.last(deep) + functional.conv2d(padded, self.bicubic)
        return functional.pixel_shuffle(planes, self.options.scale)

    @property
    def receptive_radius(self) -> int:
        """How many input pixels away an input can change an output pixel."""
        return math.ceil(2 * self.options.blocks + 3)
