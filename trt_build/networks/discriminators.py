"""Discriminators: three critics of pictures, luma (N, 1, H, W) in [0, 1] of any size -> logits.

Networks of training only: no sigmoid, no export, not in the catalogue.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

NEGATIVE_SLOPE = 0.2


class SRGANDiscriminator(nn.Module):
    """SRGAN's (Ledig et al. 2017): one logit a picture, (N, 1).

    conv3 of w, w, 2w, 2w, 4w, 4w, 8w, 8w channels with strides 1, 2, 1, 2, ..., each with LeakyReLU and all but the
    first with batch norm; dense 16w; dense 1. The published one flattens pictures of one size before the dense layers,
    here the mean over the picture comes before them.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1), nn.LeakyReLU(NEGATIVE_SLOPE)]
        channels = width
        for index in range(1, 8):
            wider = width * 2 ** (index // 2)
            layers += [
                nn.Conv2d(channels, wider, 3, stride=1 + index % 2, padding=1, bias=False),
                nn.BatchNorm2d(wider),
                nn.LeakyReLU(NEGATIVE_SLOPE),
            ]
            channels = wider
        self.features = nn.Sequential(*layers)
        self.dense = nn.Sequential(nn.Linear(channels, 2 * channels), nn.LeakyReLU(NEGATIVE_SLOPE), nn.Linear(2 * channels, 1))

    def forward(self, luma: Tensor) -> Tensor:
        """(N, 1, H, W) -> (N, 1)."""
        features: Tensor = self.features(luma)
        logit: Tensor = self.dense(features.mean((2, 3)))
        return logit


class PatchDiscriminator(nn.Module):
    """That of idealo's `image-super-resolution`: one logit for every 4x4 pixels, (N, 1, H/4, W/4) rounded up.

    conv3 of w channels, then of w, 2w, 2w, 4w, 4w, 8w, 8w with strides 2, 1, 2, 1, 1, 1, 1, each with LeakyReLU and
    then, but for the first, batch norm; the dense layers of SRGAN's (16w, 1) at each place, since the source flattens
    nothing.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1), nn.LeakyReLU(NEGATIVE_SLOPE)]
        channels = width
        for factor, stride in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 1), (8, 1), (8, 1)):
            layers += [
                nn.Conv2d(channels, factor * width, 3, stride=stride, padding=1),
                nn.LeakyReLU(NEGATIVE_SLOPE),
                nn.BatchNorm2d(factor * width, momentum=0.2),
            ]
            channels = factor * width
        dense = [nn.Conv2d(channels, 2 * channels, 1), nn.LeakyReLU(NEGATIVE_SLOPE), nn.Conv2d(2 * channels, 1, 1)]
        self.layers = nn.Sequential(*layers, *dense)

    def forward(self, luma: Tensor) -> Tensor:
        """(N, 1, H, W) -> (N, 1, ceil(H/4), ceil(W/4))."""
        logits: Tensor = self.layers(luma)
        return logits


class UNetDiscriminator(nn.Module):
    """Real-ESRGAN's U-Net with spectral norm (Wang et al. 2021; 64 channels published): one logit a pixel.

    conv3 of w; conv4 stride 2 of 2w, 4w, 8w; three times [bilinear x2, conv3 of 4w, 2w, w, + the features of that
    size]; conv3, conv3 of w; conv3 to 1. LeakyReLU after all but the last; spectral norm on all but the first and last.
    """

    def __init__(self, width: int = 32, inputs: int = 1) -> None:
        """``inputs``: planes of the pictures; more than the luma where the critic is told what they were made from."""
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        pairs = list(pairwise(widths))
        self.first = nn.Conv2d(inputs, width, 3, padding=1)
        self.down = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)) for a, b in pairs)
        self.up = nn.ModuleList(spectral_norm(nn.Conv2d(b, a, 3, padding=1, bias=False)) for a, b in reversed(pairs))
        self.smooth = nn.ModuleList(spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False)) for _ in range(2))
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, luma: Tensor) -> Tensor:
        """(N, 1, H, W) -> (N, 1, H, W); sides of at least 8."""
        features = functional.leaky_relu(self.first(luma), NEGATIVE_SLOPE)
        passed: list[Tensor] = []
        for convolution in self.down:
            passed.append(features)
            features = functional.leaky_relu(convolution(features), NEGATIVE_SLOPE)
        for convolution in self.up:
            skip = passed.pop()
            enlarged = functional.interpolate(features, size=skip.shape[-2:], mode="bilinear")
            features = functional.leaky_relu(convolution(enlarged), NEGATIVE_SLOPE) + skip
        for convolution in self.smooth:
            features = functional.leaky_relu(convolution(features), NEGATIVE_SLOPE)
        logits: Tensor = self.last(features)
        return logits
