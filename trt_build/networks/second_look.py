"""The network of the second look: from squares of luma to whether they show a face, and where it lies."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.detect.face_places import POINTS
from engine.detect.face_windows import CONTEXTS

_LEAST_CONTRAST = 4.0
"""Added to a square's contrast, so that a flat square stays flat."""


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    """Two layers with a skip connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _layer(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        nn.init.zeros_(torch.as_tensor(self.second[1].weight))

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.second(self.first(features)))


class SecondLook(nn.Module):
    """Maps (N, contexts, 40, 40) float luma, 0 to 255, to logits (N,), positive for faces, and to places (N, 7, 2): two corners
    of the box and the five landmarks, relative to the centre of the first square in shares of its side.

    Brightness and contrast of each square are normalised first, so the range of the luma does not matter.
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
        self.places = nn.Linear(third * 25, POINTS * 2)
        nn.init.zeros_(self.places.weight)
        nn.init.zeros_(self.places.bias)

    def forward(self, luma: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        middle = luma.mean(dim=(2, 3), keepdim=True)
        away = luma - middle
        contrast = away.square().mean(dim=(2, 3), keepdim=True).sqrt()
        features = self.layers(away / (contrast + _LEAST_CONTRAST)).flatten(1)
        return self.output(self.drop(features))[:, 0], self.places(features).unflatten(1, (POINTS, 2))


class Exported(nn.Module):
    """The network as it runs: ``windows`` uint8 to ``faceness``, 0 to 1, (N,), and ``places``."""

    def __init__(self, network: SecondLook) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits, places = self.network(windows.float())
        return torch.sigmoid(logits), places


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters after export, with the normalisation folded into the convolutions."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    convolutions = sum(layer.weight.numel() + layer.out_channels for layer in layers)
    return convolutions + sum(
        one.numel() for layer in network.modules() if isinstance(layer, nn.Linear) for one in layer.parameters()
    )
