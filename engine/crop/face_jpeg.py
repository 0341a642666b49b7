"""A face as a small picture for people to look at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8

_MARGIN = 0.6


def face_jpeg(bgr: Uint8, box: NDArray[np.float32] | None, longest_px: int = 320, quality: int = 90) -> bytes:
    """Return the JPEG of a face with what is around it, square where the picture reaches so far.

    Args:
        bgr: (height, width, 3).
        box: (4,) x, y, width, height; None: the whole picture.
        longest_px: its longer side at most.
        quality: of the JPEG, 1 to 100.
    """
    height, width = bgr.shape[:2]
    if box is not None:
        x, y, w, h = (float(value) for value in box)
        side = max(w, h) * (1 + _MARGIN) / 2
        middle = x + w / 2, y + h / 2
        left, right = (int(np.clip(middle[0] + way * side, 0, width)) for way in (-1, 1))
        top, bottom = (int(np.clip(middle[1] + way * side, 0, height)) for way in (-1, 1))
        if right > left and bottom > top:
            bgr = bgr[top:bottom, left:right]
    scale = min(1.0, longest_px / max(bgr.shape[:2]))
    size = tuple(max(1, round(side * scale)) for side in bgr.shape[1::-1])
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA) if scale < 1 else bgr
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
