"""Cheap signs that a box that continues a track may show somebody else.

None of them decides anything: they only cause the face to be compared with the track's earlier ones.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8

PATCH_PX = 12
GAP_SECONDS = 0.25
"""If a face was unseen for longer, and by more than one detection, somebody else may have come meanwhile."""
NEAR_WIDTHS = 1.0
"""Faces whose centres come closer than this, in widths of the larger one, may have swapped tracks."""
APART_WIDTHS = 1.3
"""Farther apart than this, neither hides the other."""
_SAME_PATCH = 0.75
_UNUSUAL = 0.12
_SHARE_OF_NEWS = 0.1
USUAL = 0.9
"""Usual ``likeness`` of a face of which nothing is known yet."""
_JUMP_WIDTHS = 0.9
_GROWTH = 1.5


def patch_of(luma: Uint8, box: Float32) -> Float32 | None:
    """Return a small patch of the face, ``PATCH_PX`` with a border of 2: (16, 16) luma levels; None if it lies outside the
    picture.

    Args:
        luma: (height, width).
        box: (4,) x, y, width, height in pixels.
    """
    x, y, width, height = (float(value) for value in box)
    border_x, border_y = width * 2 / PATCH_PX, height * 2 / PATCH_PX
    left, right = max(0, round(x - border_x)), min(luma.shape[1], round(x + width + border_x))
    top, bottom = max(0, round(y - border_y)), min(luma.shape[0], round(y + height + border_y))
    if right - left < 4 or bottom - top < 4:
        return None
    side = PATCH_PX + 4
    patch = cv2.resize(luma[top:bottom, left:right], (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(patch, np.float32)


def likeness(before: Float32, now: Float32) -> float:
    """Return how well a face matches its previous patch, -1 to 1, whatever the light and a shift of some pixels."""
    inner = now[2:-2, 2:-2]
    if inner.std() < 1.0:
        return 1.0  # a flat patch is no sign
    return float(cv2.matchTemplate(before, inner, cv2.TM_CCOEFF_NORMED).max())


def changed(alike: float, usual: float) -> bool:
    """Tell whether a face suddenly looks different: less alike than faces of one person usually are, and than this one usually
    is.

    The likeness of two people's frontal faces in one place is below 0.7 in 96 of 100 cases from 18 px, in 80 below that size;
    that of the same face is 0.72 (1st percentile) to 0.95 at 25 detections a second, 0.5 to 0.9 at 8.

    Args:
        alike: ``likeness`` of two successive patches.
        usual: its usual value before.
    """
    return alike < _SAME_PATCH and alike < usual - _UNUSUAL


def usual_after(usual: float, alike: float) -> float:
    """Return the usual likeness, updated with another value."""
    return usual + _SHARE_OF_NEWS * (alike - usual)


def jumped(before: Float32, now: Float32) -> bool:
    """Tell whether a box moved or changed its size more than a face does between detections."""
    widths = float(before[2]), float(now[2])
    if max(widths) > _GROWTH * max(min(widths), 1e-3):
        return True
    return distance_widths(before, now) > _JUMP_WIDTHS


def distance_widths(one: Float32, other: Float32) -> float:
    """Return the distance between the centres of two boxes, in widths of the larger."""
    apart = (one[:2] + one[2:] / 2) - (other[:2] + other[2:] / 2)
    return math.hypot(float(apart[0]), float(apart[1])) / max(float(one[2]), float(other[2]), 1e-3)


def distances_widths(boxes: Float32) -> NDArray[np.float64]:
    """Return ``distance_widths`` of all pairs: (N, N).

    Args:
        boxes: (N, 4).
    """
    middles = (boxes[:, :2] + boxes[:, 2:] / 2).astype(np.float64)
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    return np.asarray(apart / np.maximum(np.maximum(boxes[:, None, 2], boxes[None, :, 2]), 1e-3), np.float64)
