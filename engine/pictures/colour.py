"""Between YUV 4:2:0 planes and BGR pictures, with the stream's own matrix and range.

Chroma samples are repeated, not interpolated, as swscale does for ``bgr24``: so a crop whose corner is at even coordinates
converts as the same region of the whole picture does, within one level.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np

from engine.contracts.frames import ColourMatrix, Float32, Planes, Uint8

_STRIP_PX = 1 << 23
"""Of a picture of 100 megapixels each step of a conversion would take 300 MB."""
_RED_AND_BLUE_SHARE: dict[ColourMatrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
"""Of luma: Kr and Kb of ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance)."""


def bgr_from_planes(planes: Planes) -> Uint8:
    """Return the picture as (height, width, 3) uint8 BGR, 0 to 255; the result shares nothing with the planes."""
    height, width = planes.y.shape
    if planes.matrix == "bt601" and not planes.full_range and height % 2 == 0 and width % 2 == 0:
        # OpenCV's only YUV matrix, in one pass: a third of the cost of the general way.
        return _bgr_from_bt601(planes)
    matrix = _bgr_from_yuv(planes.matrix, planes.full_range)
    bgr = np.empty((height, width, 3), np.uint8)
    for rows, halves in _strips(height, width):
        y = planes.y[rows]
        u, v = (
            cv2.resize(plane[halves], None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)[: len(y), :width]
            for plane in (planes.u, planes.v)
        )
        cv2.transform(cv2.merge([y, u, v]), matrix, dst=bgr[rows])
    return bgr


def planes_from_bgr(image: Uint8, matrix: ColourMatrix = "bt601", full_range: bool = False) -> Planes:
    """Return a picture as planes, chroma averaged over 2x2 pixels.

    Args:
        image: (height, width, 3) uint8 BGR, or (height, width) grey.
        matrix: the colour matrix of the result.
        full_range: luma 0 to 255 instead of 16 to 235.
    """
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"a picture must be (height, width, 3) uint8, got {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    half = (-(-height // 2), -(-width // 2))
    y, u, v = (np.empty(size, np.uint8) for size in ((height, width), half, half))
    for rows, halves in _strips(height, width):
        yuv = cv2.transform(image[rows], _yuv_from_bgr(matrix, full_range))
        even = cv2.copyMakeBorder(yuv, 0, len(yuv) % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        small = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        y[rows], u[halves], v[halves] = yuv[:, :, 0], small[:, :, 1], small[:, :, 2]
    return Planes(y, u, v, matrix, full_range)


def _strips(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows of luma and of chroma that are converted together: all of a frame, a part of a larger picture."""
    tall = max(2, _STRIP_PX // width // 2 * 2)
    for top in range(0, height, tall):
        bottom = min(top + tall, height)
        yield slice(top, bottom), slice(top // 2, -(-bottom // 2))


def _bgr_from_bt601(planes: Planes) -> Uint8:
    height, width = planes.y.shape
    i420 = np.empty((height * 3 // 2, width), np.uint8)
    i420[:height] = planes.y
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    chroma[0] = planes.u
    chroma[1] = planes.v
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420), np.uint8)


@cache
def _yuv_from_bgr(matrix: ColourMatrix, full_range: bool) -> Float32:
    """Return (3, 4): 8-bit YUV from 8-bit BGR and 1."""
    red, blue = _RED_AND_BLUE_SHARE[matrix]
    luma = np.array([blue, 1 - red - blue, red])
    rows = np.stack([luma, (np.array([1, 0, 0]) - luma) / (2 * (1 - blue)), (np.array([0, 0, 1]) - luma) / (2 * (1 - red))])
    scale, offset = (np.ones(3), [0, 128, 128]) if full_range else (np.array([219, 224, 224]) / 255, [16, 128, 128])
    return np.column_stack([rows * scale[:, None], offset]).astype(np.float32)


@cache
def _bgr_from_yuv(matrix: ColourMatrix, full_range: bool) -> Float32:
    """Return (3, 4): 8-bit BGR from 8-bit YUV and 1."""
    forward = _yuv_from_bgr(matrix, full_range).astype(np.float64)
    inverse = np.linalg.inv(forward[:, :3])
    return np.column_stack([inverse, -inverse @ forward[:, 3]]).astype(np.float32)
