"""`srcnn_srgan`: SRCNN draws the structure, SRGAN's generator adds a residual to it.

    structure(luma) + blend * residual(luma)

The paper that names this hybrid evaluates the two networks apart and does not say how they meet; this is the
plain way: SRCNN is trained first, by squared error, and kept; SRResNet, with a last convolution of zeros, then
learns what SRCNN leaves out, with whatever loss. So `blend` 0 is SRCNN, and step 0 is SRCNN too.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from torch import Tensor, nn

from trt_build.networks.generators.interpolation import start_at_zero
from trt_build.networks.generators.srcnn import SRCNN, SRCNNOptions
from trt_build.networks.generators.srgan import SRGANOptions, SRResNet
from trt_build.recipes.fields import Positive


class SRCNNSRGANOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of both branches, and how they meet: the weight of the residual, and whether SRCNN stays as loaded."""

    scale: Literal[2, 4] = 4
    features: tuple[Positive, Positive] = (64, 32)
    structure_residual: bool = False
    """`residual` of the structural branch: as the SRCNN had it whose weights are loaded."""
    width: Positive = 64
    blocks: Positive = 16
    batch_norm: bool = True
    blend: float = 1.0
    freeze_structure: bool = True


class SRCNNSRGAN(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> (N, 1, scale*H, scale*W), about [0, 1], not clamped.

    `structure` (SRCNN) and `residual` (SRResNet) are generators of their own and can be called alone.
    """

    def __init__(self, options: SRCNNSRGANOptions) -> None:
        super().__init__()
        self.options = options
        self.structure = SRCNN(
            SRCNNOptions(scale=options.scale, features=options.features, residual=options.structure_residual)
        )
        self.residual = SRResNet(
            SRGANOptions(width=options.width, blocks=options.blocks, scale=options.scale, batch_norm=options.batch_norm)
        )
        start_at_zero(self.residual.last)
        self.structure.requires_grad_(not options.freeze_structure)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W) by `options.scale`."""
        structure: Tensor = self.structure(luma)
        residual: Tensor = self.residual(luma)
        return structure + self.options.blend * residual
