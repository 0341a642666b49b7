"""Transforms pictures with their boxes (x, y, width, height, px) and points (x, y), and measures how far boxes overlap."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8

Matrix = NDArray[np.float64]


def turn_about(
    source: NDArray[np.floating],
    target: tuple[float, float] | NDArray[np.floating],
    scale: float,
    angle: float,
    stretch: float = 1.0,
) -> Matrix:
    """Return the (2, 3) matrix that scales, narrows and rotates (degrees, counter-clockwise) about ``source`` and moves it to
    ``target``.
    """
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    linear = scale * np.array([[cosine, sine], [-sine, cosine]]) @ np.diag([stretch, 1.0])
    return np.column_stack([linear, np.asarray(target, np.float64) - linear @ np.asarray(source, np.float64)])


def warp(image: Float32, matrix: Matrix, scale: float, side: int, border: int) -> Float32:
    """Apply a matrix; when shrinking, average the pixels that become one."""
    if scale < 0.7:
        height, width = image.shape
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        factor = np.array([small[0] / width, small[1] / height])
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.float32)
        # Pixel centres lie at whole numbers: a point p of the picture is (p + 0.5) * factor - 0.5 in the smaller one.
        matrix = matrix.copy()
        linear = matrix[:, :2] / factor
        matrix[:, 2] += linear @ (0.5 - 0.5 * factor)
        matrix[:, :2] = linear
    return np.asarray(cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border), np.float32)


def resized(image: Uint8, scale: float) -> Uint8:
    """Return a picture at another scale, averaged when it shrinks."""
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def moved_boxes(boxes: Float32, matrix: Matrix, scale: float, stretch: float = 1.0) -> Float32:
    """Return moved boxes; they stay upright and keep their size, because a rotated head is about as wide as before."""
    middle = (boxes[:, :2] + boxes[:, 2:] / 2) @ matrix[:, :2].T + matrix[:, 2]
    size = boxes[:, 2:] * scale * (stretch, 1.0)
    return np.concatenate([middle - size / 2, size], axis=1).astype(np.float32)


def moved_points(points: Float32, matrix: Matrix) -> Float32:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def covered(one: Float32, other: Float32) -> float:
    """Return the share of the smaller of two boxes that lies in the larger one."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    return float(np.maximum(high - low, 0).prod()) / float(min(one[2:].prod(), other[2:].prod()))


def overlaps(ones: NDArray[np.floating], others: NDArray[np.floating]) -> Float32:
    """Return the intersection over union of each of N boxes with each of M, (N, M)."""
    ones, others = ones.astype(np.float64), others.astype(np.float64)
    low = np.maximum(ones[:, None, :2], others[None, :, :2])
    high = np.minimum(ones[:, None, :2] + ones[:, None, 2:], others[None, :, :2] + others[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    union = ones[:, 2:].prod(axis=1)[:, None] + others[:, 2:].prod(axis=1)[None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)
