"""Enlarge faces: luma by the generator, chroma by interpolation, so that a grey network never invents colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Planes, Uint8
from engine.pictures.colour import bgr_from_planes, planes_from_bgr
from engine.super_resolve.generator import Generator
from engine.super_resolve.interpolation import enlarge

HIGHEST_DB = 100.0
"""Reported where an enhanced face, reduced, equals the original."""
_STRIP_ROWS = 1024
_LEVELS = np.arange(256, dtype=np.float64)
_VIDEO_TO_GREY: Uint8 = np.clip((_LEVELS - 16) * 255 / 219, 0, 255).round().astype(np.uint8)
_GREY_TO_VIDEO: Uint8 = (16 + _LEVELS * 219 / 255).round().astype(np.uint8)
"""Video luma is 16 to 235. Converting it to full range and back changes no level in that range."""


@dataclass(frozen=True, slots=True, eq=False)
class EnhancedFace:
    """One crop after super-resolution. Coordinates: ``FaceCrop.landmarks_in_crop(scale)``."""

    bgr: Uint8
    """(height * scale, width * scale, 3), 0 to 255."""
    luma: Uint8
    """(height * scale, width * scale), in the range of the stream (16 to 235 for video)."""
    scale: int
    """Factor by which both sides of the crop were enlarged."""
    lr_consistency_db: float
    """PSNR between ``luma`` reduced by area to the crop's size and the crop's luma, at most 100."""
    model: str
    """The generator's name."""


class Enhancer:
    """Runs one generator over crops of any size."""

    def __init__(self, generator: Generator, strength: float, max_size_px: float) -> None:
        """Take over an open generator; ``close`` closes it.

        Args:
            generator: enlarges the crops.
            strength: 0 to 1; the result is ``bicubic + strength * (generator - bicubic)``. At 0 the generator does not run.
            max_size_px: faces larger than this (``quality.size_px``) pass through unchanged.
        """
        if not 0.0 <= strength <= 1.0:
            raise ValueError(f"strength must be 0 to 1, got {strength}")
        self._generator = generator
        self._strength = strength
        self._max_size_px = max_size_px

    def enhance(self, crops: Sequence[FaceCrop]) -> list[EnhancedFace | None]:
        """Return one enhanced face for each crop, in their order; None for one that is large enough and passes through.

        Raises:
            InferenceError: the generator fails.
        """
        originals = [crop.planes for crop in crops]
        small = [index for index, crop in enumerate(crops) if crop.quality.size_px <= self._max_size_px]
        enlarged = dict(zip(small, self.enlarge([originals[index] for index in small]), strict=True))
        return [enlarged.get(index) for index in range(len(crops))]

    def close(self) -> None:
        self._generator.close()

    def enlarge(self, originals: Sequence[Planes]) -> list[EnhancedFace]:
        """The same for pictures of any kind and size.

        Raises:
            InferenceError: the generator fails.
        """
        generator, strength = self._generator, self._strength
        if strength == 0.0:
            return [self._face(original, enlarge_planes(original, generator.scale)) for original in originals]
        if generator.colour == "bgr":
            colours = generator.upscale([bgr_from_planes(original) for original in originals])
            return [self._coloured(original, bgr) for original, bgr in zip(originals, colours, strict=True)]
        lumas = generator.upscale([_as_grey(original) for original in originals])
        return [
            self._face(original, enlarge_planes(original, generator.scale, _as_luma(grey, original), strength))
            for original, grey in zip(originals, lumas, strict=True)
        ]

    def _coloured(self, original: Planes, bgr: Uint8) -> EnhancedFace:
        """Mix the output of a colour generator with the bicubic picture."""
        if self._strength < 1.0:
            bgr = _mix(bgr_from_planes(enlarge_planes(original, self._generator.scale)), bgr, self._strength)
        return self._face(original, planes_from_bgr(bgr, original.matrix, original.full_range), bgr)

    def _face(self, original: Planes, enlarged: Planes, bgr: Uint8 | None = None) -> EnhancedFace:
        return EnhancedFace(
            bgr=bgr_from_planes(enlarged) if bgr is None else bgr,
            luma=enlarged.y,
            scale=self._generator.scale,
            lr_consistency_db=lr_consistency_db(enlarged.y, original.y),
            model=self._generator.name,
        )


def enlarge_planes(planes: Planes, scale: int, luma: Uint8 | None = None, strength: float = 1.0) -> Planes:
    """Return the picture at ``scale`` times its size, each plane by bicubic interpolation.

    Chroma samples are taken to lie in the middle of their four luma pixels, before and after, so that colour edges stay on
    luma edges; with an odd side the half of the last sample that lies outside the picture is cut off.

    Args:
        planes: the picture.
        scale: a whole number.
        luma: an enlarged luma, ``strength`` of which replaces the bicubic one.
        strength: 0 to 1.
    """
    height, width = planes.y.shape
    rows, columns = (height * scale + 1) // 2, (width * scale + 1) // 2
    u, v = (enlarge(chroma, scale)[:rows, :columns] for chroma in (planes.u, planes.v))
    if luma is None:
        luma = enlarge(planes.y, scale)
    elif strength < 1.0:
        luma = _mix(enlarge(planes.y, scale), luma, strength)
    return Planes(luma, u, v, planes.matrix, planes.full_range)


def lr_consistency_db(enlarged: Uint8, original: Uint8) -> float:
    """Return the PSNR (peak 255) between ``enlarged``, reduced by area, and ``original``, at most 100.

    It is low where a generator invents detail, but also where it removes noise, so it is a check only on clean pictures.
    """
    height, width = original.shape
    scale = enlarged.shape[0] // height
    error = 0.0
    for top in range(0, height, _STRIP_ROWS):  # a float copy of a large picture would need more memory than all else
        strip = original[top : top + _STRIP_ROWS].astype(np.float32)
        above = enlarged[top * scale : (top + len(strip)) * scale].astype(np.float32)
        reduced = cv2.resize(above, (width, len(strip)), interpolation=cv2.INTER_AREA)
        error += cv2.norm(reduced, strip, cv2.NORM_L2SQR) / original.size
    return min(HIGHEST_DB, 10 * math.log10(255**2 / error)) if error > 0 else HIGHEST_DB


def _as_grey(planes: Planes) -> Uint8:
    """Return the luma as a full-range grey picture, 0 to 255, on which networks are trained."""
    return planes.y if planes.full_range else np.asarray(cv2.LUT(planes.y, _VIDEO_TO_GREY), np.uint8)


def _as_luma(grey: Uint8, original: Planes) -> Uint8:
    """Return a grey picture as luma in the range of the original."""
    return grey if original.full_range else np.asarray(cv2.LUT(grey, _GREY_TO_VIDEO), np.uint8)


def _mix(bicubic: Uint8, generated: Uint8, strength: float) -> Uint8:
    return np.asarray(cv2.addWeighted(generated, strength, bicubic, 1.0 - strength, 0.0), np.uint8)
