"""Pictures from files that somebody may have cut off, emptied, or put in the place of others."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from engine.pictures.size import MOST_PX, picture_size


def decoded(file: bytes, flags: int = cv2.IMREAD_COLOR, *, most_px: int = MOST_PX) -> Uint8 | None:
    """Return a picture as OpenCV reads it, (height, width, 3) BGR or with ``IMREAD_GRAYSCALE`` (height, width); None: it is no
    JPEG or PNG, or damaged, or has more than ``most_px`` pixels, or more than OpenCV takes.
    """
    try:
        width, height = picture_size(file)
        if width * height > most_px:
            return None
        picture = cv2.imdecode(np.frombuffer(file, np.uint8), flags)
    except (cv2.error, ValueError):
        return None
    return None if picture is None else np.asarray(picture, np.uint8)
