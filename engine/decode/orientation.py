"""Turns pictures upright: by the file's display matrix, then by the rotation that the user adds."""

from __future__ import annotations

import enum
import struct
from typing import Any, NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import Type

from engine.contracts.frames import Planes, Uint8
from engine.contracts.messages import Rotate


class Turn(NamedTuple):
    """A rotation by a multiple of 90 degrees with mirroring, as steps in this order."""

    transpose: bool = False
    mirror: bool = False
    """Mirror left to right."""
    flip: bool = False
    """Mirror top to bottom."""

    def then(self, other: Turn) -> Turn:
        """Return the turn that applies this one first and then the other."""
        _, mirror, flip = self
        if other.transpose:
            mirror, flip = flip, mirror
        return Turn(self.transpose ^ other.transpose, mirror ^ other.mirror, flip ^ other.flip)

    def apply(self, planes: Planes) -> Planes:
        """Return the turned picture; the arrays are copies unless nothing changes."""
        if not any(self):
            return planes
        blocks = planes.blocks and planes.blocks.turned(planes.width_px, planes.height_px, **self._asdict())
        y, u, v = (self.plane(plane) for plane in (planes.y, planes.u, planes.v))
        return Planes(y, u, v, planes.matrix, planes.full_range, blocks)

    def plane(self, plane: Uint8) -> Uint8:
        """Return one turned plane; a copy unless nothing changes."""
        plane = plane.T if self.transpose else plane
        return np.ascontiguousarray(plane[:: -1 if self.flip else 1, :: -1 if self.mirror else 1])


TURNS: dict[Rotate, Turn] = {
    0: Turn(),
    90: Turn(transpose=True, mirror=True),
    180: Turn(mirror=True, flip=True),
    270: Turn(transpose=True, flip=True),
    "flip": Turn(flip=True),
    "mirror": Turn(mirror=True),
}


class Orientation:
    """Turns the pictures of one stream upright.

    Args:
        rotate: degrees that the user adds to the file's rotation.
    """

    def __init__(self, rotate: Rotate = 0) -> None:
        self._added = TURNS[rotate]
        self._was_upright = False
        self._newest = Turn()

    def of(self, frame: av.VideoFrame) -> Turn:
        """Return how a picture must be turned."""
        # Accessing a frame's side data ties frame and side data into a cycle, which keeps the picture until the garbage
        # collector runs; a stream that started upright turns only with an angle, which PyAV gives without it.
        if self._was_upright and frame.rotation == 0:
            return self._added
        # The orientation in the pictures themselves (H.264, H.265) is sent now and then, and holds until another is sent.
        told = _told_by(frame)
        if told is None:
            told = self._newest
        self._newest = told
        self._was_upright = not any(told)
        return told.then(self._added)


def _told_by(frame: av.VideoFrame) -> Turn | None:
    """Return the turn of the display matrix; None if there is none.

    It maps a stored point (x, y) to the shown point (a x + c y, b x + d y), in 16.16 fixed point, see FFmpeg's
    libavutil/display.h; other angles are rounded to the nearest multiple of 90 degrees.
    """
    data: Any = frame.side_data.get("DISPLAYMATRIX") if _has_side_data(frame) else None
    if data is None or len(bytes(data)) < 20:
        return None
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    if not (a or b or c or d):
        return Turn()
    return Turn(True, c < 0, b < 0) if abs(b) + abs(c) > abs(a) + abs(d) else Turn(False, a < 0, d < 0)


def _has_side_data(frame: av.VideoFrame) -> bool:
    return len(frame.side_data) > 0


def _unnamed(kinds: type[enum.Enum], value: object) -> enum.Enum | None:
    """Make a member for a kind of side data that FFmpeg knows but PyAV does not."""
    if not isinstance(value, int):
        return None
    member = object.__new__(kinds)
    member._name_, member._value_ = f"UNNAMED_{value}", value
    kinds._value2member_map_[value] = member
    return member


# PyAV names all side data when any of it is accessed, and raises if it has no name for one (EXIF, view ids).
Type._missing_ = classmethod(_unnamed)  # type: ignore[method-assign, assignment]
