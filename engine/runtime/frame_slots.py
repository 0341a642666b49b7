"""What is said of a frame pool and its slots, so that a picture need not be."""

from __future__ import annotations

import msgspec

from engine.contracts.frames import ColourMatrix
from engine.runtime.slot_blocks import SlotBlocks


class PoolOpened(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A process has a new frame pool; readers map it through ``/proc/<pid>/fd/<fd>``."""

    pool_id: int
    pid: int
    fd: int
    slots: int
    slot_bytes: int
    replaces: int = 0
    """The pool whose place it takes; 0: it is the first of its kind."""


class SlotPicture(msgspec.Struct, frozen=True, array_like=True):
    """The picture that a slot holds until the reader answers with SlotReleased."""

    pool_id: int
    slot: int
    generation: int
    """The slot's generation when it was written: a reader that finds another one after reading must not use what it read."""
    width_px: int
    height_px: int
    matrix: ColourMatrix
    full_range: bool
    blocks: SlotBlocks | None = None
    """None: nothing is known of its blocks."""


class SlotReleased(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The reader is done with a slot."""

    pool_id: int
    slot: int
