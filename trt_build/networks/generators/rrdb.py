"""`rrdb`: RRDBNet, the generator of ESRGAN, of a size for short runs.

    conv3 1->w; blocks x RRDB; conv3 + long skip;
    log2(scale) x [nearest x2, conv3, LeakyReLU(0.2)]; conv3, LeakyReLU(0.2); conv3 w->1

Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", ECCVW 2018; published with 64
channels, growth 32 and 23 blocks (16.7 M parameters). `residual` is ours, and on because our runs are short: it
adds the bicubic enlargement to a last convolution of zeros, so that step 0 is bicubic. Without it, as published.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.generators.interpolation import Bicubic, start_at_zero
from trt_build.recipes.fields import Positive

NEGATIVE_SLOPE = 0.2
RESIDUAL_SCALE = 0.2
INITIAL_SCALE = 0.1
"""Of the Kaiming initialisation within the dense blocks, as in the authors' code."""


class RRDBOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Size: `width` channels, `growth` more by each dense convolution, `blocks` RRDBs; whether to add bicubic."""

    width: Positive = 32
    growth: Positive = 16
    blocks: Positive = 4
    scale: Literal[2, 4, 8] = 4
    residual: bool = True


class DenseBlock(nn.Module):
    """Four convolutions of `growth` channels that each see all before them, a fifth to `width`; scaled and added."""

    def __init__(self, width: int, growth: int, negative_slope: float) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        inputs = range(width, width + 4 * growth, growth)
        self.grow = nn.ModuleList(nn.Conv2d(count, growth, 3, padding=1) for count in inputs)
        self.fuse = nn.Conv2d(width + 4 * growth, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        features = x
        for convolution in self.grow:
            new = functional.leaky_relu(convolution(features), self.negative_slope)
            features = torch.cat((features, new), 1)
        residual: Tensor = self.fuse(features)
        return x + RESIDUAL_SCALE * residual


class RRDB(nn.Module):
    """Three dense blocks, scaled and added to the input (residual in residual); slope 0 is ReLU."""

    def __init__(self, width: int, growth: int, negative_slope: float = NEGATIVE_SLOPE) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth, negative_slope) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        residual: Tensor = self.blocks(x)
        return x + RESIDUAL_SCALE * residual


class RRDBNet(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> (N, 1, scale*H, scale*W), about [0, 1], not clamped."""

    def __init__(self, options: RRDBOptions) -> None:
        super().__init__()
        self.options = options
        width = options.width
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.body = nn.Sequential(*(RRDB(width, options.growth) for _ in range(options.blocks)))
        self.tail = nn.Conv2d(width, width, 3, padding=1)
        layers: list[nn.Module] = []
        for _ in range(int(math.log2(options.scale))):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(NEGATIVE_SLOPE)]
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(NEGATIVE_SLOPE)]
        self.upsample = nn.Sequential(*layers)
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        self.bicubic = Bicubic(options.scale)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.body.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                module.weight.data.mul_(INITIAL_SCALE)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        if self.options.residual:
            start_at_zero(self.last)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W) by `options.scale`."""
        shallow: Tensor = self.head(luma)
        deep = self.tail(self.body(shallow)) + shallow
        result: Tensor = self.last(self.upsample(deep))
        return result + self.bicubic(luma) if self.options.residual else result
