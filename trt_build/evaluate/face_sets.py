"""The fixed, seeded validation sets: *clean*, *surveillance* and *h264*.

Sharp faces are shrunk by area to `hr_px`. `clean` is area shrinking and rounding;
`surveillance` is `degradation.first_order` with a generator seeded by (seed, CRC-32 of the name),
so that each face's degradation depends on nothing else in the set; `h264` is one pass of the bank.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trt_build.evaluate.metrics import Luma8, bicubic, psnr, ssim
from trt_build.train import degradation
from trt_build.train.faces import Faces, to_size
from trt_build.train.h264_bank import make_bank
from trt_build.train.recipe import H264Spec

Enlarge = Callable[[Luma8], Luma8]
"""uint8 (N, h, w) -> uint8 (N, scale*h, scale*w)."""


@dataclass(frozen=True)
class FaceSet:
    """Pairs: `low` uint8 (N, h, h), `high` uint8 (N, h*scale, h*scale), in the order of names."""

    name: str
    low: Luma8
    high: Luma8

    @property
    def scale(self) -> int:
        return int(self.high.shape[1] // self.low.shape[1])


@dataclass(frozen=True)
class Score:
    """Means over a set; `psnr_each` keeps the per-face values for intervals."""

    psnr: float
    ssim: float
    psnr_each: tuple[float, ...]
    ssim_each: tuple[float, ...]


def subset(faces: Faces, count: int, seed: int) -> Faces:
    """A seeded choice of `count` faces, in the stored order."""
    if count >= len(faces.names):
        return faces
    chosen = np.sort(np.random.default_rng(seed).permutation(len(faces.names))[:count])
    return Faces(np.asarray(faces.images[chosen]), tuple(faces.names[i] for i in chosen))


def build_set(kind: str, faces: Faces, hr_px: int, scale: int, seed: int) -> FaceSet:
    """Make the set `kind` ('clean', 'surveillance' or 'h264') from `faces`."""
    high = to_size(faces.images, hr_px)
    size = hr_px // scale
    if kind == "clean":
        low = np.stack([degradation.clean(image, size) for image in high])
    elif kind == "surveillance":
        low = np.stack(
            [
                degradation.first_order(image, size, np.random.default_rng((seed, zlib.crc32(name.encode()))))
                for image, name in zip(high, faces.names, strict=True)
            ]
        )
    elif kind == "h264":
        low = make_bank(high, size, H264Spec(passes=1), seed)[0]
    else:
        raise ValueError(kind)
    return FaceSet(kind, low, high)


def score(enlarged: Luma8, truth: Luma8, border: int) -> Score:
    """PSNR and SSIM of each pair and their means."""
    psnrs = tuple(psnr(a, b, border) for a, b in zip(enlarged, truth, strict=True))
    ssims = tuple(ssim(a, b, border) for a, b in zip(enlarged, truth, strict=True))
    return Score(float(np.mean(psnrs)), float(np.mean(ssims)), psnrs, ssims)


def score_set(faces: FaceSet, enlarge: Enlarge) -> Score:
    """Run `enlarge` over the set and score it, shaving `scale` px."""
    return score(enlarge(faces.low), faces.high, faces.scale)


def score_bicubic(faces: FaceSet) -> Score:
    """The baseline on the same set."""
    enlarged = np.stack([bicubic(image, faces.scale) for image in faces.low])
    return score(enlarged, faces.high, faces.scale)
