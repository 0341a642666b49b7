"""What the second look sees of each face: small squares of luma about its box, near and with its surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8

SIDE_PX = 40
CONTEXTS = (1.7, 3.6)
"""Side of each square, as a multiple of the box's size (the square root of its area)."""
_LEAST_PX, _MOST_PX = 4.0, 8192.0


def face_windows(luma: Uint8, boxes: Float32) -> Uint8:
    """Return (N, contexts, ``SIDE_PX``, ``SIDE_PX``) squares about the boxes' middles; beyond the picture its border goes on.

    Args:
        luma: (height, width).
        boxes: (N, 4) x, y, width, height in its pixels; they may reach over its border.
    """
    windows = np.zeros((len(boxes), len(CONTEXTS), SIDE_PX, SIDE_PX), np.uint8)
    for faces, box in zip(windows, boxes.tolist(), strict=True):
        for window, context in zip(faces, CONTEXTS, strict=True):
            window[:] = _cut(luma, _square(luma.shape, box, context))
    return windows


def near_squares(shape: tuple[int, ...], boxes: Float32) -> Float32:
    """Return (N, 3): left, top and side (px) of the first square of each of ``face_windows`` in a picture (height, width)."""
    squares = [_square(shape, box, CONTEXTS[0]) for box in boxes.tolist()]
    return np.array(squares, np.float32).reshape(-1, 3)


def _square(shape: tuple[int, ...], box: list[float], context: float) -> tuple[int, int, int]:
    height, width = shape
    x, y, across, down = box
    size = float(np.clip(np.sqrt(max(across, 0.0) * max(down, 0.0)), _LEAST_PX / CONTEXTS[0], _MOST_PX / CONTEXTS[-1]))
    length = max(2, round(context * size))
    left, top = round(x + across / 2 - length / 2), round(y + down / 2 - length / 2)
    # A square that lies wholly outside sees the nearest border.
    return min(max(left, 1 - length), width - 1), min(max(top, 1 - length), height - 1), length


def _cut(luma: Uint8, square: tuple[int, int, int]) -> Uint8:
    (height, width), (left, top, length) = luma.shape, square
    before = max(0, -top), max(0, -left)
    after = max(0, top + length - height), max(0, left + length - width)
    part = luma[max(0, top) : top + length, max(0, left) : left + length]
    if any(before) or any(after):
        part = np.asarray(cv2.copyMakeBorder(part, before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE), np.uint8)
    how = cv2.INTER_AREA if length > SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (SIDE_PX, SIDE_PX), interpolation=how), np.uint8)
