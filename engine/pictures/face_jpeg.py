"""A face as a small picture for people to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from engine.pictures.encode import small_jpeg

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
    return small_jpeg(bgr, longest_px, quality)
