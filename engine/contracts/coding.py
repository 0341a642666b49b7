"""What an encoder did to a picture, block by block, in the picture as it is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

UNKNOWN = -128
"""Of a block's motion: it was not predicted from a picture before."""
PARTS = 64
"""Of a block's width and height: the unit of its motion."""
_INNER = 0.8
"""Of a box's width and height: further out there is more of what lies behind."""
_LEAST_SHARE = 0.3


class BlockMap(msgspec.Struct, frozen=True, array_like=True, eq=False):
    """The blocks of a picture, in rows and columns, without gaps; they may reach over the picture's border. There is one of the
    picture's size where only the whole is known."""

    qp: NDArray[np.uint8]
    """Quantisation parameter, (rows, columns): 0 is without loss, 51 the strongest compression."""
    left_px: float = 0.0
    """Where the first column begins; negative where that is cut off."""
    top_px: float = 0.0
    block_width_px: float = 16.0
    block_height_px: float = 16.0
    motion: NDArray[np.int8] | None = None
    """(2, rows, columns): how far what is seen moved since the picture before, to the right and down, in ``PARTS`` of a block,
    or ``UNKNOWN``; None where vectors were not asked for."""

    @classmethod
    def whole(cls, qp: int, width_px: int, height_px: int) -> BlockMap:
        """Return the map of a picture of which only one parameter is known, 0 to 51."""
        return cls(np.full((1, 1), qp, np.uint8), block_width_px=float(width_px), block_height_px=float(height_px))

    @property
    def is_whole(self) -> bool:
        """Whether there is one parameter for all of the picture."""
        return self.qp.size == 1

    def qp_under(self, box: Sequence[float] | NDArray[np.float32]) -> float | None:
        """Return the mean over a box (x, y, width, height), by the area of it that each block covers; None where it covers none
        of any."""
        found = self._under(box)
        if found is None:
            return None
        part, areas = found
        return float((self.qp[part] * areas).sum() / areas.sum())

    def motion_under(self, box: Sequence[float] | NDArray[np.float32]) -> tuple[float, float] | None:
        """Return how far a face in a box moved since the picture before, in pixels to the right and down: the median over the
        middle of the box; None where little of that was predicted."""
        x, y, width, height = (float(value) for value in box)
        edge = (1 - _INNER) / 2
        inner = x + edge * width, y + edge * height, _INNER * width, _INNER * height
        if self.motion is None or (found := self._under(inner)) is None:
            return None
        part, areas = found
        across, down = self.motion[0][part], self.motion[1][part]
        known = (across != UNKNOWN) & (areas > 0)
        if areas[known].sum() < _LEAST_SHARE * inner[2] * inner[3]:
            return None
        weights = areas[known]
        return (
            _median(across[known], weights) * self.block_width_px / PARTS,
            _median(down[known], weights) * self.block_height_px / PARTS,
        )

    def stretched(self, across: float, down: float) -> BlockMap:
        """Return the map of the picture that is so many times as wide and as high."""
        place = self.left_px * across, self.top_px * down
        return BlockMap(self.qp, *place, self.block_width_px * across, self.block_height_px * down, self.motion)

    def cut(self, left: int, top: int, width_px: int, height_px: int) -> BlockMap:
        """Return the map of a part of the picture; blocks that lie outside are left out."""
        left_px, top_px = self.left_px - left, self.top_px - top
        rows, columns = self.qp.shape
        first_column, end_column = _touched(left_px, self.block_width_px, columns, width_px)
        first_row, end_row = _touched(top_px, self.block_height_px, rows, height_px)
        part = np.s_[..., first_row:end_row, first_column:end_column]
        left_px, top_px = left_px + first_column * self.block_width_px, top_px + first_row * self.block_height_px
        motion = None if self.motion is None else self.motion[part]
        return BlockMap(self.qp[part], left_px, top_px, self.block_width_px, self.block_height_px, motion)

    def turned(self, width_px: int, height_px: int, *, transpose: bool, mirror: bool, flip: bool) -> BlockMap:
        """Return the map of the picture, which has this size now, transposed first, then mirrored and flipped."""
        qp, motion = self.qp, self.motion
        left, top, width, height = self.left_px, self.top_px, self.block_width_px, self.block_height_px
        if transpose:
            qp, left, top, width, height = qp.T, top, left, height, width
            width_px, height_px = height_px, width_px
            motion = None if motion is None else motion.transpose(0, 2, 1)[::-1]
        if mirror:
            qp, left = qp[:, ::-1], width_px - (left + qp.shape[1] * width)
            motion = None if motion is None else _negated(motion[:, :, ::-1], 0)
        if flip:
            qp, top = qp[::-1], height_px - (top + qp.shape[0] * height)
            motion = None if motion is None else _negated(motion[:, ::-1], 1)
        return BlockMap(qp, left, top, width, height, motion)

    def _under(self, box: Sequence[float] | NDArray[np.float32]) -> tuple[tuple[slice, slice], NDArray[np.float64]] | None:
        """Return which blocks a box touches, and the area of it that each of them covers; None where that is nothing."""
        x, y, width, height = (float(value) for value in box)
        if not all(map(math.isfinite, (x, y, width, height))):
            return None
        rows, columns = self.qp.shape
        down, first_row = _lengths(y - self.top_px, height, self.block_height_px, rows)
        across, first_column = _lengths(x - self.left_px, width, self.block_width_px, columns)
        areas = down[:, None] * across
        if areas.sum() <= 0:
            return None
        return np.s_[first_row : first_row + len(down), first_column : first_column + len(across)], areas


def _lengths(start: float, length: float, step: float, count: int) -> tuple[NDArray[np.float64], int]:
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


def _negated(motion: NDArray[np.int8], axis: int) -> NDArray[np.int8]:
    """Return the motion with one of its directions turned round; what is unknown stays so, as -128 has no opposite here."""
    turned = motion.copy()
    np.negative(turned[axis], out=turned[axis])
    return turned


def _median(values: NDArray[np.int8], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])
