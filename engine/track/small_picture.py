"""Frames reduced so far that two of them can be compared in a tenth of a millisecond."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8

_WIDTH, _HEIGHT = 64, 36
_COLUMNS, _ROWS = 4, 3
_BLOCK_WIDTH, _BLOCK_HEIGHT = _WIDTH // _COLUMNS, _HEIGHT // _ROWS
_REACH = 6
"""How far a block is searched for, in pixels of the small picture: a tenth of the picture's width."""
_LEAST_DETAIL = 1.5
"""Least standard deviation of a block that can be told from others, in luma levels."""
_LEAST_BLOCKS = 3
_FOUND = 0.70
"""Least correlation of a block that is found again."""
SAME_SCENE = 0.5
"""Least share of blocks that are found again in a continuing scene."""


def detail_of(luma: Uint8) -> Float32:
    """Reduce a frame and remove its coarse light and shade: (36, 64) luma levels.

    Args:
        luma: (height, width), 0 to 255.
    """
    step = max(1, min(luma.shape[0] // (2 * _HEIGHT), luma.shape[1] // (2 * _WIDTH)))
    small = cv2.resize(np.ascontiguousarray(luma[::step, ::step]), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    values = small.astype(np.float32)
    return np.asarray(values - cv2.blur(values, (9, 9)), np.float32)


def found_again(before: Float32, now: Float32) -> float | None:
    """Return the share of blocks of ``now`` that are found in ``before``, 0 to 1; None if too few can be told from others.

    If blocks have moved, counting stops at ``SAME_SCENE``.

    Args:
        before: (36, 64), from ``detail_of``; so is ``now``.
    """
    old, new = _centred_blocks(before), _centred_blocks(now)
    old_power, new_power = (np.sqrt((blocks**2).sum(axis=1)) for blocks in (old, new))
    usable = new_power >= _LEAST_DETAIL * np.sqrt(_BLOCK_WIDTH * _BLOCK_HEIGHT)
    if usable.sum() < _LEAST_BLOCKS:
        return None
    found = (old * new).sum(axis=1) >= _FOUND * np.maximum(old_power * new_power, 1e-6)
    count, enough = int((usable & found).sum()), SAME_SCENE * usable.sum()
    if count >= enough:
        return float(count / usable.sum())
    border = cv2.copyMakeBorder(before, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE)
    around = np.asarray(border, np.float32)
    for block in np.flatnonzero(usable & ~found).tolist():
        count += _is_near(around, now, block)
        if count >= enough:
            break
    return float(count / usable.sum())


def _centred_blocks(detail: Float32) -> NDArray[np.float32]:
    """Return the blocks as rows, each with its mean subtracted: (12, 192)."""
    blocks = detail.reshape(_ROWS, _BLOCK_HEIGHT, _COLUMNS, _BLOCK_WIDTH).swapaxes(1, 2).reshape(_ROWS * _COLUMNS, -1)
    return np.asarray(blocks - blocks.mean(axis=1, keepdims=True), np.float32)


def _is_near(around: Float32, now: Float32, number: int) -> bool:
    """Whether a block is found near its place in the previous picture, here padded by ``_REACH``."""
    top, left = (number // _COLUMNS) * _BLOCK_HEIGHT, (number % _COLUMNS) * _BLOCK_WIDTH
    block = now[top : top + _BLOCK_HEIGHT, left : left + _BLOCK_WIDTH]
    area = around[top : top + _BLOCK_HEIGHT + 2 * _REACH, left : left + _BLOCK_WIDTH + 2 * _REACH]
    return bool(cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED).max() >= _FOUND)
