"""Pictures, boxes and points turned by quarters, counter-clockwise as ``numpy.rot90`` does."""

from __future__ import annotations

import numpy as np

from engine.contracts.frames import Float32, Uint8


def turn_picture(picture: Uint8, turn: int) -> Uint8:
    """Return (height, width, ...) or, for odd turns, (width, height, ...), contiguous."""
    return np.ascontiguousarray(np.rot90(picture, turn))


def turn_boxes(boxes: Float32, turn: int, width: int, height: int) -> Float32:
    """Return boxes (N, 4), as x, y, width, height, where they lie after the turn of a picture of ``width`` by ``height``."""
    for _ in range(turn % 4):
        x, y, w, h = boxes.T
        boxes = np.stack([y, width - x - w, h, w], axis=1).astype(np.float32)
        width, height = height, width
    return boxes


def turn_points(points: Float32, turn: int, width: int, height: int) -> Float32:
    """Return points (..., 2), as x, y of pixel centres, where they lie after the turn of such a picture."""
    for _ in range(turn % 4):
        points = np.stack([points[..., 1], width - 1 - points[..., 0]], axis=-1).astype(np.float32)
        width, height = height, width
    return points
