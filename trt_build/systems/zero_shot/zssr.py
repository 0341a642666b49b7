"""ZSSR (Shocher, Cohen and Irani, "Zero-shot super-resolution using deep internal learning", CVPR 2018), for many pictures.

A small network learns from one picture alone: the picture, shrunk a little at random, is the truth, and the same shrunk by the
scale is what goes in. Faces of one size are learnt side by side, each by a network of its own: one grouped convolution runs the
same layer of all networks, so that small pictures keep the machine busy.

Changed from the publication: the rate falls and learning stops by the mean error of all pictures; no tilted crops; steps are
few (500, not 3,000), since the pictures are; no back-projection, which brings noise back, and no median over turned pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.contracts.frames import Uint8
from trt_build.errors import DataError
from trt_build.networks.generators.interpolation import Bicubic, start_at_zero

_LAYERS = 8
_LOOK_EVERY, _LOOK_BACK = 60, 256
_SLOPE, _FALL, _LAST_RATE = 1.5, 10.0, 9e-6
"""At intervals a line is fitted to the last errors: if it falls by less than its scatter, the rate is divided by 10; below the
last rate training ends. The numbers are those of the authors' code.
"""
_SMALLEST_PX = 8
Done = Callable[[int, int], None]
"""Called with the number of steps done, and the most that there will be."""


@dataclass(frozen=True)
class ZeroShotSpec:
    """How a network is trained on one picture."""

    scale: int = 2
    width: int = 32
    """Channels of each network (64 in the publication)."""
    steps: int = 500
    rate: float = 1e-3
    crop_px: int = 96
    """Side of the patches of larger pictures used in a step."""
    smallest_zoom: float = 0.75
    """Pictures are shrunk to no less than this share of their size."""
    noise: float = 0.0125
    """Standard deviation of noise added to the small picture, for values of 0 to 1: the authors' setting for real cameras."""
    seed: int = 0


SURVEILLANCE = ZeroShotSpec()
"""Settings for noisy, compressed pictures. The authors shrink down to 0.5, which leaves too little of a 32 px face."""


class _Networks(nn.Module):
    """``count`` networks side by side: (1, count, H, W) enlarged luma to the same plus each network's residual.

    All start with the same weights, so that a picture's result does not depend on its position.
    """

    def __init__(self, count: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        channels = [1, *[width] * (_LAYERS - 1), 1]
        self.layers = nn.ModuleList(_convolution(count, *pair, generator) for pair in pairwise(channels))
        last = self.layers[-1]
        assert isinstance(last, nn.Conv2d)
        start_at_zero(last)

    def forward(self, enlarged: Tensor) -> Tensor:
        features = enlarged
        for layer in self.layers[:-1]:
            features = functional.relu(layer(features))
        learnt: Tensor = self.layers[-1](features)
        return enlarged + learnt


def _convolution(count: int, before: int, after: int, generator: torch.Generator) -> nn.Conv2d:
    layer = nn.Conv2d(count * before, count * after, 3, padding=1, padding_mode="replicate", groups=count)
    nn.init.kaiming_normal_(layer.weight[:after], generator=generator)
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(layer.weight[:after].repeat(count, 1, 1, 1))
        layer.bias.zero_()
    return layer


def enlarge_zero_shot(pictures: Uint8, spec: ZeroShotSpec, done: Done = lambda steps, total: None) -> Uint8:
    """Train a network on each picture, and enlarge the picture with it.

    Args:
        pictures: (N, h, w) luma of one size; memory grows with N.
        spec: the training settings.
        done: called after each step.

    Returns:
        (N, scale * h, scale * w).

    Raises:
        DataError: the pictures are too small to be shrunk any further.
    """
    count, height, width = pictures.shape
    if min(height, width) * spec.smallest_zoom < _SMALLEST_PX * spec.scale:
        raise DataError(
            f"Pictures of {width}x{height} px are too small to learn x{spec.scale} from themselves: shrunk by that they have "
            f"less than {_SMALLEST_PX} px."
        )
    generator = torch.Generator().manual_seed(spec.seed)
    images = torch.from_numpy(pictures).float()[None] / 255
    networks, bicubic = _Networks(count, spec.width, generator), Bicubic(spec.scale)
    _learn(networks, bicubic, images, spec, generator, done)
    with torch.inference_mode():
        result = networks(_enlarged(images, bicubic))
        return np.asarray((result[0].clamp(0, 1) * 255).round().byte().numpy(), np.uint8)


def _learn(
    networks: _Networks, bicubic: Bicubic, images: Tensor, spec: ZeroShotSpec, generator: torch.Generator, done: Done
) -> None:
    optimiser = torch.optim.Adam(networks.parameters(), lr=spec.rate)
    rate, errors = spec.rate, list[float]()
    for step in range(spec.steps):
        truth = _truth(images, spec, generator)
        small = _shrunk(truth, spec.scale)
        small = small + spec.noise * torch.randn(small.shape[2:], generator=generator)
        # The sum of each picture's mean loss: networks share nothing, so each is trained as if it were alone.
        error = (networks(_enlarged(small, bicubic)) - truth).abs().mean(dim=(2, 3))
        optimiser.zero_grad(set_to_none=True)
        error.sum().backward()
        optimiser.step()
        errors.append(float(error.detach().mean()))
        done(step + 1, spec.steps)
        if (step + 1) % _LOOK_EVERY == 0 and _stands_still(errors[-_LOOK_BACK:]):
            rate /= _FALL
            if rate < _LAST_RATE:
                done(spec.steps, spec.steps)
                return
            for group in optimiser.param_groups:
                group["lr"] = rate


def _stands_still(errors: list[float]) -> bool:
    steps = np.arange(len(errors))
    slope, start = np.polyfit(steps, errors, 1)
    scatter = float(np.std(np.array(errors) - (start + slope * steps))) / np.sqrt(len(errors))
    return bool(-_SLOPE * slope * len(errors) < scatter)


def _truth(images: Tensor, spec: ZeroShotSpec, generator: torch.Generator) -> Tensor:
    """Return all pictures randomly shrunk, rotated and mirrored alike, and cropped to a multiple of the scale."""

    def draw() -> float:
        return float(torch.rand(1, generator=generator))

    zoom = spec.smallest_zoom + (1 - spec.smallest_zoom) * draw()
    rows, columns = (max(_SMALLEST_PX * spec.scale, round(length * zoom)) for length in images.shape[2:])
    if draw() < 0.5:
        images = functional.interpolate(images, (rows, columns), mode="bicubic", antialias=True)
    rows, columns = (min(length, spec.crop_px) // spec.scale * spec.scale for length in images.shape[2:])
    top, left = (int(draw() * (length - side + 1)) for length, side in zip(images.shape[2:], (rows, columns), strict=True))
    return _turned(images[:, :, top : top + rows, left : left + columns], int(8 * draw()))


def _turned(images: Tensor, way: int) -> Tensor:
    """Return pictures in one of the eight rotations and mirrorings."""
    images = images.rot90(way % 4, (2, 3))
    return images.flip(3) if way >= 4 else images


def _shrunk(images: Tensor, scale: int) -> Tensor:
    rows, columns = images.shape[2] // scale, images.shape[3] // scale
    return functional.interpolate(images, (rows, columns), mode="bicubic", antialias=True)


def _enlarged(images: Tensor, bicubic: Bicubic) -> Tensor:
    """(1, N, h, w) to (1, N, scale * h, scale * w)."""
    enlarged: Tensor = bicubic(images.transpose(0, 1))
    return enlarged.transpose(0, 1)
