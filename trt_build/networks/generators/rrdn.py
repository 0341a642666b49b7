"""`rrdn`: a compact RRDN whose pictures at x4 and x8 are refined over several scales.

    trunk:   conv3 1->w; blocks x RRDB (3 dense blocks of 4 convolutions, ReLU, 0.2); conv3 + long skip
    coarse:  conv3 w->16, PixelShuffle(4), conv3 1->1
    rising:  [conv3 ->4r, PixelShuffle(2), ReLU] from x1 to x2, from x2 to x4, from x4 to x8
    refine:  features of three scales resized to the finest and concatenated; conv1 ->r;
             2 x [conv3, ReLU, conv3, channel attention, + skip]; conv3 r->1
    x4:      bicubic x4 + coarse + refine(features at x1, x2, x4)
    x8:      bicubic x2 of the x4 picture + refine(features at x2, x4, x8)

From the source (idealo's `image-super-resolution`, the code behind the paper on a compact ESRGAN): trunk and coarse
picture, with the paper's 3 RRDBs of 32 channels in place of 10, and weights drawn from +-0.05; with three colour
channels these have 1.27 M parameters. The paper names "multi-scale refine blocks, 4x and 8x" and does not define
them: the rising and refining part is filled in, in the manner of Wang et al., "Parsing map guided multi-scale
attention network for face hallucination", ICASSP 2020, and narrow because it works on the large picture. So are
the bicubic skips: every path to a picture ends in a convolution of zeros, and step 0 is bicubic.
"""

from __future__ import annotations

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.generators.interpolation import Bicubic, start_at_zero
from trt_build.networks.generators.rrdb import NEGATIVE_SLOPE, RRDB
from trt_build.recipes.fields import Positive

INITIAL_RANGE = 0.05
REDUCTION = 4
"""Channels of the features per channel within their attention."""


class RRDNOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Size: `blocks` RRDBs of `width` channels, refining with `refine_width`."""

    width: Positive = 32
    blocks: Positive = 3
    refine_width: Positive = 16


class AttentionBlock(nn.Module):
    """conv3, ReLU, conv3, each channel weighted by what their global means say, added to the input.

    The attention is leaky: the means differ little between pictures, and a few ReLUs may be dead for all of them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))
        self.attend = nn.Sequential(
            nn.Conv2d(width, width // REDUCTION, 1),
            nn.LeakyReLU(NEGATIVE_SLOPE),
            nn.Conv2d(width // REDUCTION, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same shape."""
        residual: Tensor = self.layers(x)
        weights: Tensor = self.attend(residual.mean((2, 3), keepdim=True))
        return x + residual * weights


class Refine(nn.Module):
    """Features at three scales, each twice the one before -> features at the finest (N, width, H, W)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.fuse = nn.Conv2d(channels, width, 1)
        self.blocks = nn.Sequential(AttentionBlock(width), AttentionBlock(width))

    def forward(self, low: Tensor, middle: Tensor, high: Tensor) -> Tensor:
        """(N, _, H/4, W/4), (N, _, H/2, W/2), (N, _, H, W) -> (N, width, H, W)."""
        resized = [
            functional.interpolate(low, scale_factor=4, mode="bilinear"),
            functional.interpolate(middle, scale_factor=2, mode="bilinear"),
            high,
        ]
        features: Tensor = self.blocks(self.fuse(torch.cat(resized, 1)))
        return features


def _double(channels: int, width: int) -> nn.Sequential:
    """(N, channels, H, W) -> (N, width, 2H, 2W)."""
    return nn.Sequential(nn.Conv2d(channels, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.ReLU())


class RRDN(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> the same enlarged, about [0, 1], not clamped.

    `pyramid` gives the pictures of all `scales`, `forward` the largest.
    """

    scales: tuple[int, ...] = (4, 8)

    def __init__(self, options: RRDNOptions) -> None:
        super().__init__()
        self.options = options
        width, narrow = options.width, options.refine_width
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.body = nn.Sequential(*(RRDB(width, width, negative_slope=0.0) for _ in range(options.blocks)))
        self.tail = nn.Conv2d(width, width, 3, padding=1)
        self.coarse = nn.Sequential(nn.Conv2d(width, 16, 3, padding=1), nn.PixelShuffle(4))
        self.last_coarse = nn.Conv2d(1, 1, 3, padding=1)
        self.to_x2, self.to_x4, self.to_x8 = _double(width, narrow), _double(narrow, narrow), _double(narrow, narrow)
        self.refine_x4, self.refine_x8 = Refine(width + 2 * narrow, narrow), Refine(3 * narrow, narrow)
        self.last_x4, self.last_x8 = nn.Conv2d(narrow, 1, 3, padding=1), nn.Conv2d(narrow, 1, 3, padding=1)
        self.bicubic_x4, self.bicubic_x2 = Bicubic(4), Bicubic(2)
        self._initialise()
        for last in (self.last_coarse, self.last_x4, self.last_x8):
            start_at_zero(last)

    def _initialise(self) -> None:
        for part in (self.head, self.body, self.tail, self.coarse):
            for module in part.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.uniform_(module.weight, -INITIAL_RANGE, INITIAL_RANGE)
                    assert module.bias is not None
                    nn.init.zeros_(module.bias)

    def pyramid(self, luma: Tensor) -> tuple[Tensor, ...]:
        """The pictures of all `scales`: (N, 1, 4H, 4W) and (N, 1, 8H, 8W)."""
        shallow: Tensor = self.head(luma)
        deep = self.tail(self.body(shallow)) + shallow
        features_x2: Tensor = self.to_x2(deep)
        features_x4: Tensor = self.refine_x4(deep, features_x2, self.to_x4(features_x2))
        picture = self.bicubic_x4(luma) + self.last_coarse(self.coarse(deep)) + self.last_x4(features_x4)
        features_x8 = self.refine_x8(features_x2, features_x4, self.to_x8(features_x4))
        return picture, self.bicubic_x2(picture) + self.last_x8(features_x8)

    def forward(self, luma: Tensor) -> Tensor:
        """The picture at x8 of `luma` (N, 1, H, W)."""
        return self.pyramid(luma)[-1]
