"""Where between two written faces a face really is: the crop of the nearer one is looked for near the box that moves evenly."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from functools import lru_cache

import cv2
import numpy as np

from engine.client.results import Run
from engine.contracts.frames import Uint8
from engine.footage.canvas import Box
from engine.results.cast import Role, Shot

_MOST_FACES = 64
_LEAST_PX = 4
_STEADY = 0.4
"""How much of its last place a box keeps, so that it does not tremble."""
_FACE_PX = 24
"""Width of a face for the comparison."""
_REACH = 0.8
"""How far a face may be from where it is expected, in its widths and heights."""
_LEAST_LIKENESS = 0.6
"""Correlation of a face with itself a second later is mostly above it, with what is beside it mostly below."""
_NEARNESS = 0.25
"""What a place loses for being as far away as a face is wide."""


class Seeker:
    """Places the boxes of tracks where their faces are, picture by picture.

    Args:
        run: which has the crops.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._faces = lru_cache(_MOST_FACES)(self._read)
        self._aside: dict[int, tuple[float, float]] = {}
        """By how much each face was last away from where it was expected, in its widths and heights."""

    def place(self, role: Role, expected: Box, now: float, luma: Uint8) -> Box:
        """Return where a face is; where it is not found, where it is expected.

        Args:
            role: its track.
            expected: the box, in pixels of the picture.
            now: the picture's time in seconds.
            luma: (height, width) of the picture.
        """
        shots = role.shots
        after = bisect_left(shots, now, key=lambda shot: shot.seconds)
        nearest = min(shots[max(0, after - 1) : after + 1], key=lambda shot: abs(shot.seconds - now))
        known = self._faces(nearest)
        x, y, width, height = expected
        aside = (0.0, 0.0)
        if known is not None:
            face, (left, top, wide, high) = known
            shown = (x + left * width, y + top * height, wide * width, high * height)
            found = found_near(luma, shown, face)
            aside = aside if found is None else ((found[0] - shown[0]) / width, (found[1] - shown[1]) / height)
        before = self._aside.get(role.track_id, aside)
        across, down = (_STEADY * old + (1 - _STEADY) * new for old, new in zip(before, aside, strict=True))
        self._aside[role.track_id] = (across, down)
        return x + across * width, y + down * height, width, height

    def forget(self, staying: Collection[int]) -> None:
        """Keep nothing of tracks but these."""
        self._aside = {number: aside for number, aside in self._aside.items() if number in staying}

    def _read(self, shot: Shot) -> tuple[Uint8, Box] | None:
        """Return what a crop has of a face, grey, and which part of its box that is, in widths and heights: not all of it at
        the border of a picture. None where the crop is gone."""
        crop = self._run.picture_named(shot.original)
        if crop is None:
            return None
        left, top, width, height = shot.crop_box
        across, down = crop.shape[1] / max(width, 1), crop.shape[0] / max(height, 1)
        x, y, w, h = shot.box
        columns, rows = (
            _inside((x - left) * across, w * across, crop.shape[1]),
            _inside((y - top) * down, h * down, crop.shape[0]),
        )
        face = crop[rows, columns]
        if min(face.shape[:2]) < _LEAST_PX or min(w, h) <= 0:
            return None
        part = ((columns.start / across + left - x) / w, (rows.start / down + top - y) / h)
        return np.asarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), np.uint8), (
            *part, face.shape[1] / across / w, face.shape[0] / down / h,
        )  # fmt: skip


def _inside(start: float, length: float, size: int) -> slice:
    return slice(min(max(0, round(start)), size), min(max(0, round(start + length)), size))


def found_near(luma: Uint8, expected: Box, face: Uint8) -> Box | None:
    """Return where a face is that is expected at a place; None where nothing there looks like it.

    Args:
        luma: (height, width) of the picture.
        expected: where it should be, and how large it is.
        face: (h, w) grey, the same face at another time, cut along its box.
    """
    x, y, width, height = expected
    if min(width, height) < _LEAST_PX:
        return None
    scale = _FACE_PX / width
    size = (_FACE_PX, max(4, round(height * scale)))
    margin = (round(_REACH * size[0]), round(_REACH * size[1]))
    around = _cut(
        luma, (x - margin[0] / scale, y - margin[1] / scale), scale, (size[0] + 2 * margin[0], size[1] + 2 * margin[1])
    )
    template = cv2.resize(face, size, interpolation=cv2.INTER_AREA)
    likeness = cv2.matchTemplate(around, template, cv2.TM_CCOEFF_NORMED)
    rows, columns = np.mgrid[-margin[1] : margin[1] + 1, -margin[0] : margin[0] + 1]
    score = likeness - _NEARNESS * ((columns / size[0]) ** 2 + (rows / size[1]) ** 2)
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    if not likeness[row, column] >= _LEAST_LIKENESS:
        return None
    return x + (int(column) - margin[0]) / scale, y + (int(row) - margin[1]) / scale, width, height


def _cut(luma: Uint8, corner: tuple[float, float], scale: float, size: tuple[int, int]) -> Uint8:
    """Return the part of a picture with this corner, made smaller or larger, and the border of the picture beyond it."""
    left, top = (int(np.floor(value)) for value in corner)
    right, bottom = left + max(1, round(size[0] / scale)), top + max(1, round(size[1] / scale))
    height, width = luma.shape
    rows = slice(min(max(top, 0), height - 1), max(min(bottom, height), 1))
    columns = slice(min(max(left, 0), width - 1), max(min(right, width), 1))
    high, wide = bottom - top, right - left
    above, below = min(max(0, -top), high), min(max(0, bottom - height), high)
    before, behind = min(max(0, -left), wide), min(max(0, right - width), wide)
    part = cv2.copyMakeBorder(luma[rows, columns], above, below, before, behind, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
