"""The whole picture that a face was cut from, made small: where somebody was, beside whose face it is."""

from __future__ import annotations

import cv2
import numpy as np
from msgspec.structs import replace

from engine.config import Config
from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Frame, Planes, Uint8

LONGEST_PX = 960


def are_wanted(config: Config) -> bool:
    """Whether a run keeps or sends scenes: never where faces are hidden, as nobody knows who else a picture shows."""
    written = bool(config.output.directory) and config.output.scenes
    return config.publish.redact == "none" and (written or "scene" in config.publish.parts)


class Scenes:
    """Adds scenes to faces. Faces of one frame share the pixels; of older frames it keeps none."""

    def __init__(self) -> None:
        self._newest: tuple[Frame, Planes] | None = None

    def added(self, crop: FaceCrop, frame: Frame) -> FaceCrop:
        """Return a face with the whole picture of the frame that it was cut from; a copy, which outlives the frame."""
        if self._newest is None or self._newest[0] is not frame:
            self._newest = frame, reduced(frame.planes, LONGEST_PX, copy=True)
        return replace(crop, scene=self._newest[1])

    def forget(self) -> None:
        """Let go of the frame, whose slot is another's from now on."""
        self._newest = None


def reduced(planes: Planes, longest_px: int, *, copy: bool = False) -> Planes:
    """Return a picture made so small that neither side is longer.

    Args:
        planes: the picture.
        longest_px: of the result.
        copy: one that is small enough is copied; else it is returned as it is.
    """
    height, width = planes.y.shape
    scale = longest_px / max(height, width)
    if scale >= 1:
        return Planes(planes.y.copy(), planes.u.copy(), planes.v.copy(), planes.matrix, planes.full_range) if copy else planes
    rows, columns = (max(1, round(side * scale / 2)) for side in (height, width))
    # Linear interpolation takes two pixels of each direction: above half the size it skips none, for a quarter of the cost.
    how = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
    y = _smaller(planes.y, 2 * rows, 2 * columns, how)
    u, v = (_smaller(plane, rows, columns, how) for plane in (planes.u, planes.v))
    return Planes(y, u, v, planes.matrix, planes.full_range)


def _smaller(plane: Uint8, rows: int, columns: int, how: int) -> Uint8:
    return np.asarray(cv2.resize(plane, (columns, rows), interpolation=how), np.uint8)
