"""What the size of the faces in a camera's pictures is good for, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from engine.contracts.frames import Detections
from engine.contracts.probed import Verdict
from engine.words.numbers import told_apart

GOOD_PX = 48.0
"""From this size on most names that can be given are (docs/names.md)."""
NAMED_PX = 30.0
"""Smaller faces are too small to name where 50 people are enrolled."""
_LARGE_HEIGHT_PX = 1000
"""A camera that sends such pictures has hardly a larger stream."""


def sizes_px(faces: Detections) -> list[float]:
    """Return the geometric mean of the sides of each box, in its order."""
    return [math.sqrt(max(0.0, width) * max(0.0, height)) for _, _, width, height in faces.boxes.tolist()]


def advice(largest_px: Sequence[float], width_px: int, height_px: int, seconds: float) -> tuple[Verdict, str]:
    """Return what to say of a camera, and one sentence.

    Args:
        largest_px: size of the largest face of each picture that had one.
        width_px, height_px: of its pictures.
        seconds: for so long faces were looked for.
    """
    if not largest_px and min(width_px, height_px) < NAMED_PX:
        what = (
            f"its pictures have {width_px}x{height_px} px: no face that could be recognised ({NAMED_PX:.0f} px) fits into them"
        )
        return "too_small", f"{what}: choose another stream of it"
    if not largest_px:
        what = f"no face was seen in {seconds:.0f} s: let somebody stand where faces are wanted, and look again"
        return "no_face", what
    size = median(largest_px)
    larger = (
        "use the main stream of the camera, or name it as crop_uri"
        if height_px < _LARGE_HEIGHT_PX
        else "bring the camera nearer, or let it zoom in"
    )
    if size >= GOOD_PX:
        return "good", f"good: faces are usually {size:.0f} px"
    if size >= NAMED_PX:
        shown, needed = told_apart(size, GOOD_PX, 0)
        return "small", f"faces are usually {shown} px: enough to find people again, little for names ({needed} px): {larger}"
    shown, needed = told_apart(size, NAMED_PX, 0)
    return "too_small", f"faces are usually {shown} px: too small to recognise ({needed} px): {larger}"
