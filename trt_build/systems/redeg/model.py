"""DegNet and SynNet together on small pictures, and their discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.degradation_nets import DegNet, SynNet
from trt_build.networks.discriminators import UNetDiscriminator
from trt_build.recipes.redeg import DegradationOptions

SHARP_PX = 64
"""Side of the sharp pictures, which is that of both networks."""
_DAMAGE_GAIN = 3.0
_HINTS = 4
"""Number of planes by which the judge gets omega."""


class Redeg(nn.Module):
    """Estimates the degradation between a sharp and a small picture, and applies it to others.

    The networks work at 64 px: small pictures are enlarged by repeating pixels on the way in, and what SynNet draws is
    shrunk by area, which undoes that exactly.
    """

    def __init__(self, options: DegradationOptions) -> None:
        super().__init__()
        self.degnet, self.synnet = DegNet(options), SynNet(options)
        self.spread = nn.BatchNorm1d(options.dim, affine=False)
        """Removes omega's common part, which with spectral norm is nearly all of it."""

    def omega(self, sharp: Tensor, small: Tensor) -> Tensor:
        """(N, 1, 64, 64) and (N, 1, s, s) in [0, 1] -> what was done, (N, dim), of mean square 1.

        DegNet gets the small picture as its difference from the shrunk sharp one, because the damage is slight compared with
        the content. SynNet normalises omega first, so its length has no meaning; it is normalised here too, for comparisons.
        """
        damage = small - functional.avg_pool2d(sharp, sharp.shape[-1] // small.shape[-1])
        enlarged = functional.interpolate(0.5 + _DAMAGE_GAIN * damage, size=sharp.shape[-2:], mode="nearest")
        raw: Tensor = self.spread(self.degnet(sharp, enlarged))
        return raw * torch.rsqrt(raw.square().mean(1, keepdim=True) + 1e-8)

    def apply_to(self, sharp: Tensor, omega: Tensor, small_px: int) -> Tensor:
        """Apply ``omega`` (N, dim) to (N, 1, 64, 64): (N, 1, small_px, small_px) in [0, 1]."""
        made: Tensor = self.synnet(sharp, omega)
        return functional.avg_pool2d(made, sharp.shape[-1] // small_px)


class Judge(nn.Module):
    """Judges whether a small picture comes from a camera or from SynNet, given the sharp one and omega: a logit
    for each pixel.
    """

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.hint = nn.Linear(dim, _HINTS)
        self.network = UNetDiscriminator(width, inputs=2 + _HINTS)

    def forward(self, small: Tensor, sharp: Tensor, omega: Tensor) -> Tensor:
        """(N, 1, s, s), (N, 1, 64, 64) and (N, dim) -> (N, 1, s, s)."""
        shrunk = functional.avg_pool2d(sharp, sharp.shape[-1] // small.shape[-1])
        hints = self.hint(omega)[:, :, None, None].expand(-1, -1, *small.shape[-2:])
        logits: Tensor = self.network(torch.cat((small, shrunk, hints), 1))
        return logits
