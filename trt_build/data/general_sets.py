"""Benchmark pictures by data set, such as Set5 and Set14, one folder each."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from trt_build.data.faces import encoded
from trt_build.errors import DataError
from trt_build.measures.luma import luma_of
from trt_build.measures.metrics import SSIM_RADIUS
from trt_build.measures.resample import cubic, to_levels


@dataclass(frozen=True)
class Picture:
    """One sharp picture."""

    name: str
    pixels: Uint8
    """(H, W, 3) RGB, or (H, W) if the file is grey."""


def load_sets(source: Path) -> dict[str, list[Picture]]:
    """Read every picture of a zip or folder; the folder of a picture names its data set.

    Raises:
        DataError: the source is missing, damaged, or holds no picture.
    """
    if not source.exists():
        raise DataError(f"The pictures '{source}' do not exist: give a zip or folder with one folder for each data set.")
    found: dict[str, list[Picture]] = {}
    try:
        for name, data in encoded(source):
            folder = name.rsplit("/", 2)[-2] if "/" in name else source.stem
            found.setdefault(folder, []).append(_decoded(name, data, source))
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError) as error:
        raise DataError(f"The pictures '{source}' cannot be read ({error}): fetch or pack the file again.") from None
    if not found:
        raise DataError(f"'{source}' holds no picture (PNG, JPEG or BMP): give one folder for each data set.")
    return found


def check_size(picture: Picture, scale: int, inputs: str) -> None:
    """Refuse a picture that is too small to be measured.

    Raises:
        DataError: it is smaller than SSIM's window once the border is cut off.
    """
    least = (-(-(2 * SSIM_RADIUS + 2) // scale) + 2) * scale
    height, width = picture.pixels.shape[:2]
    if min(height, width) < least:
        raise DataError(
            f"'{picture.name}' of {inputs} has {width}x{height} px, x{scale} needs at least {least} px each way: leave it out."
        )


def cropped(picture: Picture, scale: int) -> Uint8:
    """Return the pixels, cropped at the bottom and the right to multiples of the scale."""
    height, width = (length // scale * scale for length in picture.pixels.shape[:2])
    return picture.pixels[:height, :width]


def shrunk(sharp: Uint8, scale: int) -> tuple[Uint8, Uint8]:
    """Return the low-resolution input, rounded to 8 bits: luma (h, w), and RGB (h, w, 3) for a colour network."""
    size = (sharp.shape[0] // scale, sharp.shape[1] // scale)
    luma = to_levels(cubic(luma_of(sharp), size))
    planes = [sharp] * 3 if sharp.ndim == 2 else [sharp[:, :, channel] for channel in range(3)]
    colour = np.stack([to_levels(cubic(plane.astype(np.float64), size)) for plane in planes], axis=2)
    return luma, colour


def _decoded(name: str, data: bytes, source: Path) -> Picture:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR) if data else None
    if pixels is None:
        raise DataError(f"'{name}' in '{source}' is not a picture: take it out, or fetch the file again.")
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return Picture(name, np.asarray(pixels, np.uint8))
