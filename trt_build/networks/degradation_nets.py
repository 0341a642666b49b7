"""DegNet and SynNet: what a degradation is, as a vector, and the same degradation put on another picture.

    omega = DegNet(hq, lq);  lq' = SynNet(hq', omega)

After ReDegNet (Li et al., "From Face to Natural Image: Learning Real Degradation for Blind Image Super-Resolution",
ECCV 2022), for one channel and 64 px; `multiplier` 1 gives the published channels, 1/4 (the default) a sixteenth of
the parameters. Its modulated convolutions are StyleGAN2's (Karras et al. 2020). Two things are not as in the source:
modulation starts at 1, as in StyleGAN2, and tanh is applied once, to the sum over the sizes, not at every size.
Networks of training only: they take [0, 1], and convert to [-1, 1] inside.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from trt_build.recipes.redeg import DegradationOptions

MAPPING_LAYERS = 8
NEGATIVE_SLOPE = 0.2


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """conv3 with spectral norm, LeakyReLU."""
    return nn.Sequential(spectral_norm(nn.Conv2d(inputs, outputs, 3, stride, 1)), nn.LeakyReLU(NEGATIVE_SLOPE))


def _pyramid(inputs: int, channels: list[int]) -> nn.ModuleList:
    """The picture's own size, then half of it until 4x4."""
    halving = [_layer(finer, coarser, stride=2) for finer, coarser in pairwise(channels)]
    return nn.ModuleList([_layer(inputs, channels[0]), *halving])


class DegNet(nn.Module):
    """What made `lq` of `hq`, without what they show: the vector omega."""

    def __init__(self, options: DegradationOptions) -> None:
        super().__init__()
        self.pyramid = nn.Sequential(*_pyramid(2, options.channels))
        self.dense = nn.Sequential(
            nn.Linear(16 * options.channels[-1], options.dim), nn.LeakyReLU(NEGATIVE_SLOPE), nn.Linear(options.dim, options.dim)
        )

    def forward(self, hq: Tensor, lq: Tensor) -> Tensor:
        """Two (N, 1, 64, 64) in [0, 1] -> omega (N, dim), of any range."""
        features: Tensor = self.pyramid(2 * torch.cat((hq, lq), 1) - 1)
        omega: Tensor = self.dense(features.flatten(1))
        return omega


class ModulatedConv(nn.Module):
    """StyleGAN2's convolution: a style weights its input channels; demodulation gives each output unit variance.

    Scaling the weights for each sample is the same as scaling the channels that go in and those that come out, which
    needs one convolution for the whole batch.
    """

    def __init__(self, inputs: int, outputs: int, size: int, dim: int, demodulate: bool = True) -> None:
        super().__init__()
        self.demodulate = demodulate
        self.gain = 1 / math.sqrt(inputs * size**2)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.modulation = nn.Linear(dim, inputs)
        nn.init.ones_(self.modulation.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(N, inputs, H, W) and style (N, dim) -> (N, outputs, H, W)."""
        weight = self.gain * self.weight
        scale: Tensor = self.modulation(style)
        result = functional.conv2d(x * scale[:, :, None, None], weight, padding="same")
        if self.demodulate:
            energy = scale.square() @ weight.square().sum((2, 3)).T
            result = result * torch.rsqrt(energy + 1e-8)[:, :, None, None]
        return result


class ModulatedBlock(nn.Module):
    """Modulated conv3, plus content (if any), conv3 with spectral norm, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, dim: int) -> None:
        super().__init__()
        self.modulated = ModulatedConv(inputs, outputs, 3, dim)
        self.plain = _layer(outputs, outputs)

    def forward(self, x: Tensor, style: Tensor, content: Tensor | float = 0.0) -> Tensor:
        """(N, inputs, H, W), style (N, dim), content (N, outputs, H, W) -> (N, outputs, H, W)."""
        result: Tensor = self.plain(self.modulated(x, style) + content)
        return result


class Bottleneck(nn.Module):
    """At 4x4: conv3, then a residual block whose skip is a convolution; all with spectral norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = _layer(width, width)
        self.layers = nn.Sequential(_layer(width, width), spectral_norm(nn.Conv2d(width, width, 3, padding=1)))
        self.skip = spectral_norm(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, 4, 4) -> the same shape."""
        entered = self.enter(x)
        result: Tensor = self.layers(entered) + self.skip(entered)
        return result


class SynNet(nn.Module):
    """The degradation omega put on a picture: an encoder of what it shows, and a generator that omega modulates.

    The generator starts from the encoder's bottleneck (no constant, no noise). At each size from 4 to 64 its first
    block gets the encoder's features of that size, times one scalar that is learned and starts at 0, in the place of
    StyleGAN's noise; what the sizes draw is enlarged bilinearly and summed.
    """

    def __init__(self, options: DegradationOptions) -> None:
        super().__init__()
        rising, dim = options.channels[::-1], options.dim
        steps = list(pairwise(rising))
        self.pyramid = _pyramid(1, options.channels)
        self.bottleneck = Bottleneck(rising[0])
        mapping = [(nn.Linear(dim, dim), nn.LeakyReLU(NEGATIVE_SLOPE)) for _ in range(MAPPING_LAYERS)]
        self.mapping = nn.Sequential(*(layer for pair in mapping for layer in pair))
        for dense, _ in mapping:  # by torch's own start a thousandth of omega would come through
            nn.init.kaiming_normal_(dense.weight, NEGATIVE_SLOPE)
        self.start = _layer(rising[0], rising[0])
        self.strength = nn.Parameter(torch.zeros(len(rising)))
        self.enter = nn.ModuleList(ModulatedBlock(a, b, dim) for a, b in [(rising[0], rising[0]), *steps])
        self.stay = nn.ModuleList(ModulatedBlock(b, b, dim) for _, b in steps)
        self.to_luma = nn.ModuleList(ModulatedConv(width, 1, 1, dim, demodulate=False) for width in rising)
        self.bias = nn.Parameter(torch.zeros(()))

    def style(self, omega: Tensor) -> Tensor:
        """omega (N, dim), brought to unit mean square (PixelNorm) -> its W (N, dim)."""
        style: Tensor = self.mapping(omega * torch.rsqrt(omega.square().mean(1, keepdim=True) + 1e-8))
        return style

    def forward(self, hq: Tensor, omega: Tensor) -> Tensor:
        """(N, 1, 64, 64) in [0, 1] and omega (N, dim) -> the degraded picture (N, 1, 64, 64), in [0, 1] by tanh."""
        style = self.style(omega)
        content: list[Tensor] = []
        features = 2 * hq - 1
        for layer in self.pyramid:
            features = layer(features)
            content.append(features)
        content.reverse()

        x = self.enter[0](self.start(self.bottleneck(features)), style, self.strength[0] * content[0])
        picture = self.to_luma[0](x, style)
        for index, stay in enumerate(self.stay, start=1):
            x = self.enter[index](_enlarge(x), style, self.strength[index] * content[index])
            x = stay(x, style)
            picture = _enlarge(picture) + self.to_luma[index](x, style)
        return (torch.tanh(picture + self.bias) + 1) / 2


def _enlarge(x: Tensor) -> Tensor:
    """Twice the size, bilinearly."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear")
