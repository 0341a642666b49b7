"""How a ``BlockMap`` lies behind the planes of a frame pool's slot."""

from __future__ import annotations

import msgspec
import numpy as np

from engine.contracts.coding import BlockMap
from engine.contracts.frames import Uint8

_BLOCK_PX = 16
_LAYERS = 3
"""The parameter, and the motion along both axes."""


class SlotBlocks(msgspec.Struct, frozen=True, array_like=True):
    """Which map a slot holds."""

    rows: int
    columns: int
    left_px: float
    top_px: float
    block_width_px: float
    block_height_px: float
    moves: bool


def block_bytes(width_px: int, height_px: int) -> int:
    """Return the bytes that the map of a picture of this size takes at most: a row has one block more where two are cut."""
    return _LAYERS * (-(-width_px // _BLOCK_PX) + 1) * (-(-height_px // _BLOCK_PX) + 1)


def write_blocks(room: Uint8, blocks: BlockMap | None) -> SlotBlocks | None:
    """Copy a map into (bytes,) and return how it lies there; None where there is none, or it does not fit."""
    if blocks is None or not 0 < _LAYERS * blocks.qp.size <= len(room):
        return None
    rows, columns = blocks.qp.shape
    layers = _layers(room, rows, columns)
    np.copyto(layers[0], blocks.qp)
    if blocks.motion is not None:
        np.copyto(layers[1:].view(np.int8), blocks.motion)
    place = blocks.left_px, blocks.top_px, blocks.block_width_px, blocks.block_height_px
    return SlotBlocks(rows, columns, *place, blocks.motion is not None)


def read_blocks(room: Uint8, told: SlotBlocks | None) -> BlockMap | None:
    """Return a view of a map that was written."""
    if told is None:
        return None
    layers = _layers(room, told.rows, told.columns)
    motion = layers[1:].view(np.int8) if told.moves else None
    return BlockMap(layers[0], told.left_px, told.top_px, told.block_width_px, told.block_height_px, motion)


def _layers(room: Uint8, rows: int, columns: int) -> Uint8:
    return room[: _LAYERS * rows * columns].reshape(_LAYERS, rows, columns)
