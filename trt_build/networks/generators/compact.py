"""`compact`: a small residual luma generator that starts out as bicubic enlargement.

    conv3 1->w; blocks x [conv3, LeakyReLU(0.1), conv3, x0.2, + skip]; conv3 + long skip;
    conv3 w->s^2 (zero-initialised) + bicubic as s^2 channels; PixelShuffle(s)

No batch norm and no attention, so that every runtime takes it. The last convolution is zero
at the start, so step 0 *is* bicubic (`interpolation.py`).
"""

from __future__ import annotations

import msgspec
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.generators.interpolation import Bicubic
from trt_build.recipes.fields import Positive

NEGATIVE_SLOPE = 0.1
RESIDUAL_SCALE = 0.2


class CompactOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Size of the network: `width` channels, `blocks` residual blocks, integer `scale`."""

    width: Positive = 48
    blocks: Positive = 8
    scale: Positive = 4


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

    def __init__(self, options: CompactOptions) -> None:
        super().__init__()
        self.options = options
        width, planes = options.width, options.scale**2
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(options.blocks)))
        self.tail = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, planes, 3, padding=1)
        self.bicubic = Bicubic(options.scale)
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
        planes: Tensor = self.last(deep) + self.bicubic.planes(luma)
        return functional.pixel_shuffle(planes, self.options.scale)
