"""What leaves of a face that was not recognised, where pictures are redacted.

The whole crop, hair and clothes too, becomes six by six blocks, so that there are three or four across the face; each is the
mean of its pixels, in eight steps of each colour. That cannot be undone: of the 7,000 pixels of a 48-px face with its margin
36 values of 9 bits are left, and many pictures of one track fall into the same steps. The enhanced picture is left out: it
would say the same thing again in other words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.config import Redact

BLOCKS = 6
"""Across the crop, in each direction."""
_STEP = 32
_AROUND = 0.4
"""Of a face that is hidden in a picture, on each side: hair tells, too."""
Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]


def veiled(picture_bgr: Picture) -> Picture:
    """Return a picture of the same size in which nobody can be recognised.

    Args:
        picture_bgr: (height, width, 3) uint8.
    """
    height, width = picture_bgr.shape[:2]
    blocks = cv2.resize(picture_bgr, (min(BLOCKS, width), min(BLOCKS, height)), interpolation=cv2.INTER_AREA)
    coarse = np.asarray(blocks // _STEP * _STEP + _STEP // 2, np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def hide(picture_bgr: Picture, boxes: Iterable[Box], veil: Callable[[Picture], Picture] = veiled) -> None:
    """Hide faces in a picture, each with its surroundings; the picture is changed.

    Args:
        picture_bgr: (height, width, 3) uint8.
        boxes: x, y, width and height of each face in its pixels; a part outside of it does not matter.
        veil: makes of a picture one of the same size in which nobody can be recognised.
    """
    for x, y, width, height in boxes:
        rows = slice(max(0, math.floor(y - _AROUND * height)), max(0, math.ceil(y + (1 + _AROUND) * height)))
        columns = slice(max(0, math.floor(x - _AROUND * width)), max(0, math.ceil(x + (1 + _AROUND) * width)))
        if (face := picture_bgr[rows, columns]).size:
            picture_bgr[rows, columns] = veil(face)


def shows_enhanced(redact: Redact, is_known: bool) -> bool:
    """Whether what a model made of faces may be sent and written.

    Args:
        redact: ``none``: always; ``vectors``: never; ``blur``: of one that was recognised.
        is_known: the decision was ``known``.
    """
    return redact == "none" or (redact == "blur" and is_known)


def what_leaves(
    redact: Redact, is_known: bool, original_bgr: Picture | None, enhanced_bgr: Picture | None
) -> tuple[Picture | None, Picture | None]:
    """Return the pictures of a face that may be sent and written: the original and the enhanced one.

    Args:
        redact: ``none``: both; ``vectors``: neither; ``blur``: both of one that was recognised, else the ``veiled`` original.
        is_known: the decision on this face was ``known``.
        original_bgr: (height, width, 3) uint8, or None.
        enhanced_bgr: likewise.
    """
    if shows_enhanced(redact, is_known):
        return original_bgr, enhanced_bgr
    if redact == "vectors" or original_bgr is None:
        return None, None
    return veiled(original_bgr), None
