"""How strongly a picture was compressed, block by block, in the picture as it is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray


class QpMap(msgspec.Struct, frozen=True, array_like=True, eq=False):
    """The quantisation parameter of each block of an H.264 picture: 0 is without loss, 51 the strongest compression.

    The blocks lie in rows and columns, without gaps, and may reach over the picture's border.
    """

    qp: NDArray[np.uint8]
    """(rows, columns)."""
    left_px: float = 0.0
    """Where the first column begins; negative where that is cut off."""
    top_px: float = 0.0
    block_width_px: float = 16.0
    block_height_px: float = 16.0

    def under(self, box: Sequence[float] | NDArray[np.float32]) -> float | None:
        """Return the mean of the blocks under a box (x, y, width, height), by the area of it that each covers; None where it
        covers none of any."""
        x, y, width, height = (float(value) for value in box)
        if not all(map(math.isfinite, (x, y, width, height))):
            return None
        rows, columns = self.qp.shape
        down, first_row = _shares(y - self.top_px, height, self.block_height_px, rows)
        across, first_column = _shares(x - self.left_px, width, self.block_width_px, columns)
        area = float(down.sum() * across.sum())
        if area <= 0:
            return None
        part = self.qp[first_row : first_row + len(down), first_column : first_column + len(across)]
        return float(down @ part.astype(np.float64) @ across) / area

    def stretched(self, across: float, down: float) -> QpMap:
        """Return the map of the picture that is so many times as wide and as high."""
        place = self.left_px * across, self.top_px * down
        return QpMap(self.qp, *place, self.block_width_px * across, self.block_height_px * down)

    def cut(self, left: int, top: int, width_px: int, height_px: int) -> QpMap:
        """Return the map of a part of the picture; blocks that lie outside are left out."""
        left_px, top_px = self.left_px - left, self.top_px - top
        rows, columns = self.qp.shape
        first_column, end_column = _touched(left_px, self.block_width_px, columns, width_px)
        first_row, end_row = _touched(top_px, self.block_height_px, rows, height_px)
        return QpMap(
            self.qp[first_row:end_row, first_column:end_column],
            left_px + first_column * self.block_width_px,
            top_px + first_row * self.block_height_px,
            self.block_width_px,
            self.block_height_px,
        )

    def turned(self, width_px: int, height_px: int, *, transpose: bool, mirror: bool, flip: bool) -> QpMap:
        """Return the map of the picture, which has this size now, transposed first, then mirrored and flipped."""
        qp, left, top, width, height = self.qp, self.left_px, self.top_px, self.block_width_px, self.block_height_px
        if transpose:
            qp, left, top, width, height = qp.T, top, left, height, width
            width_px, height_px = height_px, width_px
        if mirror:
            qp, left = qp[:, ::-1], width_px - (left + qp.shape[1] * width)
        if flip:
            qp, top = qp[::-1], height_px - (top + qp.shape[0] * height)
        return QpMap(qp, left, top, width, height)


def _shares(start: float, length: float, step: float, count: int) -> tuple[NDArray[np.float64], int]:
    """Return how much of a stretch lies in each block along one axis, from the first that it touches, and which that is."""
    end = min(max(start + max(length, 0.0), 0.0), count * step)
    start = min(max(start, 0.0), count * step)
    first, last = min(int(start / step), count), min(math.ceil(end / step), count)
    edges = np.arange(first, max(first, last) + 1) * step
    return np.clip(np.diff(np.clip(edges, start, max(start, end))), 0.0, None), first


def _touched(start: float, step: float, count: int, length_px: int) -> tuple[int, int]:
    """Return the first and one past the last of the blocks that lie within ``length_px`` pixels from 0."""
    first = min(max(0, math.floor(-start / step)), count)
    return first, max(first, min(count, math.ceil((length_px - start) / step)))
