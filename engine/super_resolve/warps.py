"""Warps between pictures: (2, 3) matrices on pixel centres, as OpenCV's ``warpAffine`` takes them with ``WARP_INVERSE_MAP``."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32

Warp = NDArray[np.float64]
"""(2, 3): maps ``(x, y)`` of the reference to ``warp[:, :2] @ (x, y) + warp[:, 2]`` in another frame."""
_WAY = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP


def identity() -> Warp:
    return np.eye(2, 3)


def compose(outer: Warp, inner: Warp) -> Warp:
    """Return the warp that does ``inner`` first, then ``outer``."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def inverse(warp: Warp) -> Warp:
    linear = np.linalg.inv(warp[:, :2])
    return np.column_stack([linear, -linear @ warp[:, 2]])


def enlarged(warp: Warp, factor: float) -> Warp:
    """Return the same warp for pictures enlarged ``factor`` times, whose pixel areas stay aligned."""
    middle = (factor - 1) / 2
    linear = warp[:, :2]
    return np.column_stack([linear, factor * warp[:, 2] + middle - linear @ np.full(2, middle)])


def look_through(picture: Float32, warp: Warp, shape: tuple[int, int]) -> Float32:
    """Return ``picture`` warped to the reference, (h, w) float32 of ``shape``; its border is repeated outwards."""
    height, width = shape
    seen = cv2.warpAffine(picture, warp, (width, height), flags=_WAY, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)
