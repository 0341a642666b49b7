"""`edsr`: EDSR-baseline, residual blocks without batch norm.

    conv3 1->w; blocks x [conv3, ReLU, conv3, + skip]; conv3 + long skip;
    [conv3 w->4w, PixelShuffle(2)] once (x2) or twice (x4), or [conv3 w->9w, PixelShuffle(3)] (x3); conv3 w->1

Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPRW 2017; the baseline has 64
channels and 16 blocks, whose residuals are not scaled. Of one colour channel it has 1.52 M parameters at x4, as
published. The subtraction of DIV2K's mean colour is left out.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from torch import Tensor, nn

from trt_build.recipes.fields import Positive


class EDSROptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Size of the network: `width` channels, `blocks` residual blocks, whole `scale`."""

    width: Positive = 64
    blocks: Positive = 16
    scale: Literal[2, 3, 4] = 4


class ResidualBlock(nn.Module):
    """conv3, ReLU, conv3, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        residual: Tensor = self.layers(x)
        return x + residual


class EDSR(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> (N, 1, scale*H, scale*W), about [0, 1], not clamped."""

    def __init__(self, options: EDSROptions) -> None:
        super().__init__()
        self.options = options
        width = options.width
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(options.blocks)))
        self.tail = nn.Conv2d(width, width, 3, padding=1)
        stages: list[nn.Module] = []
        for factor in {2: (2,), 3: (3,), 4: (2, 2)}[options.scale]:
            stages += [nn.Conv2d(width, factor**2 * width, 3, padding=1), nn.PixelShuffle(factor)]
        self.upsample = nn.Sequential(*stages)
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W) by `options.scale`."""
        shallow: Tensor = self.head(luma)
        deep = self.tail(self.body(shallow)) + shallow
        result: Tensor = self.last(self.upsample(deep))
        return result
