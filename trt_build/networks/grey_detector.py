"""A small one-channel face detector with the outputs of YuNet (Wu, Peng and Yu, 2023): score, box and five points a cell.

Plain convolutions while there are few channels, then depthwise and pointwise ones, batch normalisation folded away at export
and ReLU throughout, so that it can run in int8. The stem is thin: a channel at stride 2 costs 16 times one at stride 8.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
OUTPUTS = ("score", "bbox", "kps")
VALUES = (1, 4, 10)
_MIDDLE, SPREAD = 128.0, 64.0
"""Offset and divisor that normalise luma."""
CEILING = 20.0
"""Ceiling of activations. Features stay below 18 on ordinary pictures. On unusual ones (thermal images, flat signs) a channel
that hardly ever varies was amplified from layer to layer to thousands, and with it the score of empty places. It started at
stride 16; at finer strides a ceiling would cost a third of the time.
"""
_LEAST_VARIANCE = 1e-3
_RARE = -4.6
"""Logit of a score of 0.01: most cells hold no face."""


def convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1, *, coarse: bool = False
) -> nn.Sequential:
    """Return a convolution without bias, batch normalisation and a ReLU, with a ceiling if the map is ``coarse``."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out, eps=_LEAST_VARIANCE),
        nn.Hardtanh(0.0, CEILING, inplace=True) if coarse else nn.ReLU(inplace=True),
    )


def separable(channels_in: int, channels_out: int, stride: int = 1, *, coarse: bool = False) -> nn.Sequential:
    """Depthwise 3x3, then pointwise."""
    return nn.Sequential(
        convolution(channels_in, channels_in, 3, stride, channels_in, coarse=coarse),
        convolution(channels_in, channels_out, 1, coarse=coarse),
    )


class GreyDetector(nn.Module):
    """Luma 0 to 255, (N, 1, H, W) with H and W multiples of 32, to maps at strides 8, 16 and 32.

    Args:
        stem: channels at strides 2 and 4.
        widths: channels at strides 8, 16 and 32.
        depths: separable blocks at these strides, the one that halves the size included.
        neck: channels of the pyramid.
        head: separable blocks before each level's outputs.
        early: additional separable blocks at stride 4, where the smallest faces are seen.
        early_width: output channels of the last of them; 0: as many as the stem. Widening here saves a convolution of stride 2
            half its work.
    """

    def __init__(
        self,
        stem: tuple[int, int] = (8, 24),
        widths: tuple[int, int, int] = (48, 64, 96),
        depths: tuple[int, int, int] = (3, 4, 4),
        neck: int = 48,
        head: int = 1,
        early: int = 0,
        early_width: int = 0,
    ) -> None:
        super().__init__()
        first = early_width or stem[1]
        self.stem = nn.Sequential(
            convolution(1, stem[0], 3, 2),
            convolution(stem[0], stem[1], 3, 2),
            *(separable(stem[1], stem[1]) for _ in range(early - 1)),
            *([separable(stem[1], first)] if early else []),
        )
        self.stages = nn.ModuleList()
        coarse = [stride > STRIDES[0] for stride in STRIDES]
        for (before, width), depth, bound in zip(pairwise((first, *widths)), depths, coarse, strict=True):
            blocks = [separable(before, width, 2, coarse=bound)]
            blocks += [separable(width, width, coarse=bound) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))
        self.laterals = nn.ModuleList(convolution(width, neck, 1, coarse=b) for width, b in zip(widths, coarse, strict=True))
        self.heads = nn.ModuleList(nn.Sequential(*(separable(neck, neck, coarse=b) for _ in range(head))) for b in coarse)
        self.outputs = nn.ModuleList(nn.Conv2d(neck, sum(VALUES), 1) for _ in STRIDES)
        for output in self.outputs:
            assert isinstance(output, nn.Conv2d)
            assert output.bias is not None
            nn.init.normal_(output.weight, std=0.01)
            nn.init.zeros_(output.bias)
            with torch.no_grad():
                output.bias[0] = _RARE

    def forward(self, luma: Tensor) -> Tensor:
        """Return (N, cells, 15) of all levels, concatenated row by row: logit, box (4), points (10), in strides."""
        return torch.cat([level.flatten(2).transpose(1, 2) for level in self.levels(luma)], dim=1)

    def levels(self, luma: Tensor) -> list[Tensor]:
        """Return (N, 15, H / stride, W / stride) for each stride."""
        return [output(one) for output, one in zip(self.outputs, self.features(luma), strict=True)]

    def read(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the output of ``forward``, and the features (N, cells, neck) it is computed from, from the maps of
        ``features``.
        """
        raw = [output(one) for output, one in zip(self.outputs, features, strict=True)]
        whole, seen = (torch.cat([level.flatten(2).transpose(1, 2) for level in maps], dim=1) for maps in (raw, features))
        return whole, seen

    def features(self, luma: Tensor) -> list[Tensor]:
        """Return (N, neck, H / stride, W / stride) for each stride."""
        features = self.stem(normalised(luma))
        maps = []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        merged = [lateral(one) for lateral, one in zip(self.laterals, maps, strict=True)]
        for level in (1, 0):
            merged[level] = merged[level] + functional.interpolate(merged[level + 1], scale_factor=2.0, mode="nearest")
        return [head(one) for head, one in zip(self.heads, merged, strict=True)]


def normalised(luma: Tensor) -> Tensor:
    """Return luma, 0 to 255, normalised for the first convolution."""
    return (luma - _MIDDLE) / SPREAD


class Exported(nn.Module):
    """The network as it runs: luma uint8 (N, 1, H, W) to ``score_8``, ``score_16`` ... ``kps_32``, each (N, cells, values)."""

    def __init__(self, network: GreyDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, luma: Tensor) -> tuple[Tensor, ...]:
        flat = [level.flatten(2).transpose(1, 2) for level in self.network.levels(luma.float())]
        split = [torch.split(level, list(VALUES), dim=2) for level in flat]
        scores = [parts[0].sigmoid() for parts in split]
        return (*scores, *(parts[1] for parts in split), *(parts[2] for parts in split))


def output_names() -> list[str]:
    """Return the names of the outputs of ``Exported``, in order."""
    return [f"{kind}_{stride}" for kind in OUTPUTS for stride in STRIDES]


def cells_of(height_px: int, width_px: int, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Return column and row (cells, 2) and stride (cells,) of each cell, in the order of ``forward``."""
    places, strides = [], []
    for stride in STRIDES:
        rows, columns = torch.meshgrid(
            torch.arange(height_px // stride, device=device), torch.arange(width_px // stride, device=device), indexing="ij"
        )
        places.append(torch.stack([columns, rows], dim=2).reshape(-1, 2))
        strides.append(torch.full((len(places[-1]),), stride, device=device))
    return torch.cat(places).float(), torch.cat(strides).float()


def boxes_of(raw: Tensor, cells: tuple[Tensor, Tensor]) -> Tensor:
    """Return x, y, width and height in pixels, (..., cells, 4), of the box values of ``forward``."""
    place, stride = cells
    centre = (raw[..., :2] + place) * stride[:, None]
    size = raw[..., 2:].clamp(max=6).exp() * stride[:, None]
    return torch.cat([centre - size / 2, size], dim=-1)


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters after export: the weights of the convolutions and a bias for each channel."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return sum(layer.weight.numel() + layer.out_channels for layer in layers)
