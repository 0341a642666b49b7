"""`srcnn`: SRCNN, three convolutions over the enlarged picture.

    bicubic; conv9 1->64, ReLU; conv1 64->32, ReLU; conv5 32->1

Dong, Loy, He and Tang, "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016 (ECCV 2014);
8,129 parameters. The published network loses a border of 6 pixels; here the border is replicated. It also starts
from Gaussian weights of deviation 1e-3, for very long runs of SGD; with Adam that stays behind bicubic for over a
thousand steps where Kaiming's weights take two hundred, so these are used.
`residual` adds the enlarged picture to the result (the idea of VDSR, Kim et al. 2016): training has less to do,
and with a last convolution of zeros step 0 is bicubic.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.generators.interpolation import Bicubic, start_at_zero
from trt_build.recipes.fields import Positive


class SRCNNOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Enlargement, channels after the first and second convolution, and whether to add the enlarged picture."""

    scale: Literal[2, 3, 4] = 4
    features: tuple[Positive, Positive] = (64, 32)
    residual: bool = False


class SRCNN(nn.Module):
    """Luma (N, 1, H, W) float in [0, 1] -> (N, 1, scale*H, scale*W), about [0, 1], not clamped."""

    def __init__(self, options: SRCNNOptions) -> None:
        super().__init__()
        self.options = options
        first, second = options.features
        self.bicubic = Bicubic(options.scale)
        self.extract = nn.Conv2d(1, first, 9, padding=4, padding_mode="replicate")
        self.map = nn.Conv2d(first, second, 1)
        self.reconstruct = nn.Conv2d(second, 1, 5, padding=2, padding_mode="replicate")
        self._initialise()

    def _initialise(self) -> None:
        for convolution in (self.extract, self.map, self.reconstruct):
            nn.init.kaiming_normal_(convolution.weight)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
        if self.options.residual:
            start_at_zero(self.reconstruct)

    def forward(self, luma: Tensor) -> Tensor:
        """Enlarge `luma` (N, 1, H, W) by `options.scale`."""
        enlarged: Tensor = self.bicubic(luma)
        features = functional.relu(self.map(functional.relu(self.extract(enlarged))))
        result: Tensor = self.reconstruct(features)
        return result + enlarged if self.options.residual else result
