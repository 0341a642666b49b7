"""`srgan`: SRResNet, the generator of SRGAN.

    conv9 1->w, PReLU; blocks x [conv3, BN, PReLU, conv3, BN, + skip]; conv3, BN, + long skip;
    log2(scale) x [conv3 w->4w, PixelShuffle(2), PReLU]; conv9 w->1

Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017;
64 channels and 16 blocks. Of one colour channel it has 1.53 M parameters at x4 (of three, as published, 1.55 M).
`batch_norm: false` leaves the normalisation out, as later networks do.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
from torch import Tensor, nn

from trt_build.recipes.fields import Positive


class SRGANOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Size of the network: `width` channels, `blocks` residual blocks, and whether they normalise."""

    width: Positive = 64
    blocks: Positive = 16
    scale: Literal[2, 4, 8] = 4
    batch_norm: bool = True


def _convolution(width: int, batch_norm: bool) -> nn.Sequential:
    """conv3, then batch norm if wanted."""
    layers: list[nn.Module] = [nn.Conv2d(width, width, 3, padding=1)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(width))
    return nn.Sequential(*layers)


class ResidualBlock(nn.Module):
    """conv3, BN, PReLU, conv3, BN, added to the input."""

    def __init__(self, width: int, batch_norm: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(_convolution(width, batch_norm), nn.PReLU(), _convolution(width, batch_norm))

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        residual: Tensor = self.layers(x)
        return x + residual


class SRResNet(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> (N, 1, scale*H, scale*W), about [0, 1], not clamped."""

    def __init__(self, options: SRGANOptions) -> None:
        super().__init__()
        self.options = options
        width = options.width
        self.head = nn.Sequential(nn.Conv2d(1, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(ResidualBlock(width, options.batch_norm) for _ in range(options.blocks)))
        self.tail = _convolution(width, options.batch_norm)
        stages: list[nn.Module] = []
        for _ in range(int(math.log2(options.scale))):
            stages += [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        self.upsample = nn.Sequential(*stages)
        self.last = nn.Conv2d(width, 1, 9, padding=4)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W) by `options.scale`."""
        shallow: Tensor = self.head(luma)
        deep = self.tail(self.body(shallow)) + shallow
        result: Tensor = self.last(self.upsample(deep))
        return result
