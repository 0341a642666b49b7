"""The network: squares of luma in, one number out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.detect.face_windows import CONTEXTS

_LEAST_CONTRAST = 4.0
"""Added to a square's contrast: what is flat stays flat."""


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    """Two layers whose input is added to their output."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _layer(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        nn.init.zeros_(torch.as_tensor(self.second[1].weight))

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.second(self.first(features)))


class SecondLook(nn.Module):
    """(N, contexts, 40, 40) luma as float, 0 to 255, to one logit each, (N,): above 0 it is rather a face.

    Each square is brought to one brightness and contrast first, so the range of the luma does not matter.
    """

    def __init__(self, widths: tuple[int, int, int] = (24, 40, 64)) -> None:
        super().__init__()
        first, second, third = widths
        self.layers = nn.Sequential(
            _layer(len(CONTEXTS), first, 2),
            _Residual(first),
            _layer(first, second, 2),
            _Residual(second),
            _Residual(second),
            _layer(second, third, 2),
            _Residual(third),
            _Residual(third),
        )
        self.drop = nn.Dropout(0.3)
        self.output = nn.Linear(third * 25, 1)

    def forward(self, luma: Tensor) -> Tensor:
        """See the class."""
        middle = luma.mean(dim=(2, 3), keepdim=True)
        away = luma - middle
        contrast = away.square().mean(dim=(2, 3), keepdim=True).sqrt()
        features = self.layers(away / (contrast + _LEAST_CONTRAST))
        return torch.as_tensor(self.output(self.drop(features.flatten(1)))[:, 0])


class Exported(nn.Module):
    """The network as it runs: ``windows`` uint8 to ``faceness``, 0 to 1, (N,)."""

    def __init__(self, network: SecondLook) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        """See the class."""
        return torch.sigmoid(self.network(windows.float()))


def count_parameters(network: nn.Module) -> int:
    """Numbers that stay after export, when the normalisation is folded into the convolutions."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    convolutions = sum(layer.weight.numel() + layer.out_channels for layer in layers)
    return convolutions + sum(
        one.numel() for layer in network.modules() if isinstance(layer, nn.Linear) for one in layer.parameters()
    )
