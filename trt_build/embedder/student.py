"""A small network that is taught the vectors of a large one."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

LENGTH = 128
_MIDDLE, _SPREAD = 128.0, 64.0
_SMALLEST_MAP = 5
"""Side of the last map for a chip of 150 px."""


class Student(nn.Module):
    """(N, 1 or 3, 150, 150), 0 to 255, to (N, 128), in the scale of the teacher's vectors.

    The chip is halved first: it is seen where faces are small. Plain convolutions: depthwise ones trained at half the speed.
    The last map is pooled by one weight for each place and channel (Chen et al., "MobileFaceNets", 2018).

    Args:
        widths: channels of the four stages.
        blocks: residual blocks of each.
    """

    def __init__(self, widths: tuple[int, int, int, int], blocks: tuple[int, int, int, int]) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for (before, width), count in zip(pairwise((1, *widths)), blocks, strict=True):
            stages += [_convolution(before, width, 2), nn.ReLU(inplace=True), *(_Block(width) for _ in range(count))]
        self.stages = nn.Sequential(*stages)
        self.pool = nn.Conv2d(widths[-1], widths[-1], _SMALLEST_MAP, groups=widths[-1], bias=False)
        self.normalisation = nn.BatchNorm2d(widths[-1])
        self.projection = nn.Linear(widths[-1], LENGTH)
        nn.init.normal_(self.projection.weight, std=0.1 * widths[-1] ** -0.5)  # the teacher's vectors are about 1.4 long

    def forward(self, pictures: Tensor) -> Tensor:
        grey = pictures.mean(dim=1, keepdim=True) if pictures.shape[1] > 1 else pictures
        features = self.stages((functional.avg_pool2d(grey, 2) - _MIDDLE) / _SPREAD)
        vectors: Tensor = self.projection(torch.flatten(self.normalisation(self.pool(features)), 1))
        return vectors


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(width, width, 1), _convolution(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.second(functional.relu(self.first(features))))


def _convolution(before: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width))
