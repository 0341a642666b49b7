"""Where a face lies in the square that the second look sees: numbers that do not depend on the picture's size."""

from __future__ import annotations

import numpy as np

from engine.contracts.frames import Float32

POINTS = 7
"""Upper left and lower right corner of the box, then the five landmarks in the order of ``Detections.landmarks``."""


def places_in(squares: Float32, boxes: Float32, landmarks: Float32) -> Float32:
    """Return (N, 7, 2): each point from the middle of its square, in shares of the square's side.

    Args:
        squares: (N, 3) left, top, side, of ``near_squares``.
        boxes: (N, 4) x, y, width, height in the same picture.
        landmarks: (N, 5, 2); NaN stays NaN.
    """
    corners = np.stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    points = np.concatenate([corners, landmarks], axis=1)
    return np.asarray((points - _middles(squares)) / squares[:, None, 2:], np.float32)


def boxes_and_landmarks(squares: Float32, places: Float32) -> tuple[Float32, Float32]:
    """Return boxes (N, 4) and landmarks (N, 5, 2) in the picture: the reverse of ``places_in``."""
    points = places * squares[:, None, 2:] + _middles(squares)
    size = np.maximum(points[:, 1] - points[:, 0], 1.0)
    boxes = np.concatenate([(points[:, 0] + points[:, 1] - size) / 2, size], axis=1)
    return boxes.astype(np.float32), points[:, 2:].astype(np.float32)


def _middles(squares: Float32) -> Float32:
    return np.asarray(squares[:, None, :2] + squares[:, None, 2:] / 2, np.float32)
