"""The fixed, seeded validation sets: *clean*, *surveillance* and *h264*.

Sharp faces are shrunk by area to `hr_px`. `clean` is shrunk by area and rounded; `surveillance` is `degradation.first_order`
with a generator seeded by (seed, CRC-32 of the name), so that a face's degradation does not depend on the rest of the set;
`h264` is one pass of the bank.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trt_build.data import degradation
from trt_build.data.faces import Faces, to_size
from trt_build.data.h264_bank import make_bank
from trt_build.errors import DataError
from trt_build.measures.metrics import HIGHEST_DB, Luma8, bicubic, psnr, ssim
from trt_build.recipes.degradations import H264Spec

SETS = ("clean", "surveillance", "h264")
HIGH_PX = 128
"""Side of the truth that LFW's pictures support."""
LOW_PX = (12, 16, 24, 32)
"""Sides of the small faces; the face itself is about half as wide."""

Enlarge = Callable[[Luma8], Luma8]
"""uint8 (N, h, w) -> uint8 (N, scale*h, scale*w)."""


@dataclass(frozen=True)
class FaceSet:
    """Pairs `low` uint8 (N, h, h) and `high` uint8 (N, h*scale, h*scale), in the order of names."""

    name: str
    low: Luma8
    high: Luma8

    @property
    def scale(self) -> int:
        return int(self.high.shape[1] // self.low.shape[1])


@dataclass(frozen=True)
class Stratum:
    """One kind of input at one size: squares of side ``low_px``, enlarged ``scale`` times."""

    kind: str
    low_px: int
    scale: int

    @property
    def high_px(self) -> int:
        """Side of the truth."""
        return self.low_px * self.scale

    def __str__(self) -> str:
        return f"{self.kind}, {self.low_px} px x{self.scale}"


def strata_of(scale: int) -> list[Stratum]:
    """Return clean faces at each of ``LOW_PX``, then the other sets at the largest size; no truth exceeds ``HIGH_PX``."""
    fitting = [low for low in LOW_PX if low * scale <= HIGH_PX and low * scale - 2 * scale > 11]
    if not fitting:
        raise DataError(f"Faces of at most {HIGH_PX} px are too small for a x{scale} model: the faces protocol goes up to x10.")
    return [Stratum("clean", low, scale) for low in fitting] + [Stratum(kind, fitting[-1], scale) for kind in SETS[1:]]


@dataclass(frozen=True)
class Score:
    """Means over a set."""

    psnr: float
    ssim: float


def subset(faces: Faces, count: int, seed: int) -> Faces:
    """A seeded choice of `count` faces, in the stored order."""
    if count >= len(faces.names):
        return faces
    chosen = np.sort(np.random.default_rng(seed).permutation(len(faces.names))[:count])
    return Faces(np.asarray(faces.images[chosen]), tuple(faces.names[i] for i in chosen))


def people_subset(faces: Faces, count: int, seed: int) -> Faces:
    """Return all faces of people drawn by ``seed`` until there are ``count`` faces, in stored order; at least two people."""
    if count >= len(faces.names):
        return faces
    people = np.array(faces.identities())
    names, sizes = np.unique(people, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    drawn = max(2, int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1)
    kept = np.flatnonzero(np.isin(people, names[order[:drawn]]))
    return Faces(np.asarray(faces.images[kept]), tuple(faces.names[i] for i in kept))


def check_people(faces: Faces, source: object) -> None:
    """Refuse faces on which verification cannot be measured.

    Raises:
        DataError: all are of one person, or nobody has two pictures.
    """
    _, sizes = np.unique(faces.identities(), return_counts=True)
    if len(sizes) < 2:
        raise DataError(
            f"All {len(faces.names)} faces of '{source}' are of one person: give at least two people, one folder for each."
        )
    if sizes.max() < 2:
        raise DataError(
            f"Nobody among the {len(sizes)} people of '{source}' has two pictures, so there is no pair of one person to "
            "verify: give more pictures of each, or a larger --faces."
        )


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
    """Mean PSNR and SSIM of all pairs."""
    psnrs = [min(psnr(a, b, border), HIGHEST_DB) for a, b in zip(enlarged, truth, strict=True)]
    ssims = [ssim(a, b, border) for a, b in zip(enlarged, truth, strict=True)]
    return Score(float(np.mean(psnrs)), float(np.mean(ssims)))


def score_set(faces: FaceSet, enlarge: Enlarge) -> Score:
    """Run `enlarge` over the set and score the result without a border of `scale` px."""
    return score(enlarge(faces.low), faces.high, faces.scale)


def score_bicubic(faces: FaceSet) -> Score:
    """The baseline on the same set."""
    return score_set(faces, lambda low: np.stack([bicubic(image, faces.scale) for image in low]))
