"""Pictures from files that somebody may have cut off, emptied, or put in the place of others."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Uint8


def decoded(file: bytes, flags: int = cv2.IMREAD_COLOR) -> Uint8 | None:
    """Return a picture as OpenCV reads it, (height, width, 3) BGR or with ``IMREAD_GRAYSCALE`` (height, width); None: it is
    none, or damaged, or larger than OpenCV takes.
    """
    try:
        picture = cv2.imdecode(np.frombuffer(file, np.uint8), flags) if file else None
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)
