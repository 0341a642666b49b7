"""A photograph that is compared with results: one face of it, its vector, and what of it limits a comparison."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Quality
from engine.contracts.frames import Uint8

_MARGIN = 0.6
_SHOWN_PX = 320


@dataclass(frozen=True, eq=False)
class Photographed:
    """One face."""

    label: str
    """What to call it."""
    vector: NDArray[np.float32]
    """(d,) of length 1."""
    quality: Quality
    picture: bytes
    """JPEG of the face, for a page."""
    remarks: list[str]
    """Sentences on how it was chosen."""


def cut_for_page(bgr: Uint8, box: NDArray[np.float32] | None) -> bytes:
    """Return the JPEG of a face with what is around it, at most 320 px high and wide.

    Args:
        bgr: (height, width, 3).
        box: (4,) x, y, width, height; None: the whole picture.
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
    scale = min(1.0, _SHOWN_PX / max(bgr.shape[:2]))
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else bgr
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
