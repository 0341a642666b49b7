"""Pictures in memory that two processes share: fixed slots in an anonymous memory file.

The file has no name, so nothing can be left behind, not even after SIGKILL: the kernel frees it with its last user. It is not
in ``/dev/shm``, so a container's limit on that does not matter. All of it is allocated at the start and its size is sealed:
lack of memory is an error then, never a bus error later.

One process writes, one reads. The writer alone keeps the books on which slots are free; the reader's answers reach it as
messages (``SlotReleased``). A slot's generation is odd while the slot is being written (a seqlock), so that a reader can see
that what it read was overwritten meanwhile.

Neither class is thread-safe; neither may cross a fork. ``PoolOpened`` and ``SlotPicture`` may cross processes.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Planes, Uint8
from engine.errors import WorkerError
from engine.runtime.closing import Closing
from engine.runtime.frame_slots import PoolOpened, SlotPicture
from engine.runtime.memory_file import memory_file
from engine.runtime.slot_blocks import block_bytes, read_blocks, write_blocks

HEADER_BYTES = 64
"""Start of every slot: generation, pool, width, height as unsigned 64-bit integers; one cache line."""
_GENERATION, _POOL, _WIDTH, _HEIGHT = range(4)


def slot_bytes_for(width_px: int, height_px: int) -> int:
    """Return the bytes that a slot for pictures of this size takes, header included, in whole pages."""
    pixels = _pixels_of(width_px, height_px)
    return -(-(HEADER_BYTES + pixels + block_bytes(width_px, height_px)) // mmap.PAGESIZE) * mmap.PAGESIZE


def _pixels_of(width_px: int, height_px: int) -> int:
    """Return the bytes of the three planes."""
    return width_px * height_px + 2 * ((width_px + 1) // 2) * ((height_px + 1) // 2)


class _Slot(NamedTuple):
    header: NDArray[np.uint64]
    pixels: Uint8

    def planes(self, width_px: int, height_px: int) -> tuple[Uint8, Uint8, Uint8]:
        """Return views of the three planes, which lie row by row behind each other."""
        shape = ((height_px + 1) // 2, (width_px + 1) // 2)
        luma, chroma = width_px * height_px, shape[0] * shape[1]
        y = self.pixels[:luma].reshape(height_px, width_px)
        u = self.pixels[luma : luma + chroma].reshape(shape)
        v = self.pixels[luma + chroma : luma + 2 * chroma].reshape(shape)
        return y, u, v

    def room(self, width_px: int, height_px: int) -> Uint8:
        """Return what lies behind the planes: for the map of their blocks."""
        start = _pixels_of(width_px, height_px)
        return self.pixels[start : start + block_bytes(width_px, height_px)]


def _slots_of(memory: mmap.mmap, slots: int, slot_bytes: int) -> list[_Slot]:
    data = np.frombuffer(memory, np.uint8).reshape(slots, slot_bytes)
    return [_Slot(row[:HEADER_BYTES].view(np.uint64), row[HEADER_BYTES:]) for row in data]


class PoolWriter(Closing):
    """The writing side; owns the memory until ``close``.

    Args:
        pool_id: unique among the pools of its process.
        slots: pictures that fit.
        slot_bytes: size of each, see ``slot_bytes_for``.

    Raises:
        WorkerError: there is not enough memory, or the system has no memory files.
    """

    def __init__(self, pool_id: int, slots: int, slot_bytes: int) -> None:
        if slots < 1 or slot_bytes < slot_bytes_for(1, 1) or slot_bytes % mmap.PAGESIZE:
            raise ValueError(f"a pool needs slots of whole pages, got {slots} slots of {slot_bytes} bytes")
        self._pool_id, self._slot_bytes = pool_id, slot_bytes
        size = slots * slot_bytes
        self._fd = memory_file(size, f"{slots} frames of {slot_bytes / 2**20:.1f} MiB")
        self._memory: mmap.mmap | None = mmap.mmap(self._fd, size)
        self._slots = _slots_of(self._memory, slots, slot_bytes)
        for slot in self._slots:
            slot.header[_POOL] = pool_id
        self._free = list(range(slots))

    def opened(self, replaces: int = 0) -> PoolOpened:
        """Return what a reader needs to map this pool, which takes the place of another one."""
        return PoolOpened(self._pool_id, os.getpid(), self._fd, len(self._slots), self._slot_bytes, replaces)

    @property
    def slot_bytes(self) -> int:
        return self._slot_bytes

    def acquire(self) -> int | None:
        """Take a free slot, the most recently used first because it is in the cache; None when all are in use."""
        return self._free.pop() if self._free else None

    def write(self, slot: int, planes: Planes) -> SlotPicture:
        """Copy a picture into an acquired slot, whose new generation is even, and return what a reader needs to see it.

        Raises:
            WorkerError: the picture does not fit, or the slot was not acquired.
        """
        width_px, height_px = planes.width_px, planes.height_px
        self._check_held(slot)
        if slot_bytes_for(width_px, height_px) > self._slot_bytes:
            raise WorkerError(f"a {width_px}x{height_px} picture does not fit a slot of {self._slot_bytes} bytes")
        header, _ = self._slots[slot]
        generation = int(header[_GENERATION]) + 2
        header[_GENERATION] = generation - 1
        header[_WIDTH], header[_HEIGHT] = width_px, height_px
        for target, source in zip(self._slots[slot].planes(width_px, height_px), (planes.y, planes.u, planes.v), strict=True):
            np.copyto(target, source)
        blocks = write_blocks(self._slots[slot].room(width_px, height_px), planes.blocks)
        header[_GENERATION] = generation
        return SlotPicture(self._pool_id, slot, generation, width_px, height_px, planes.matrix, planes.full_range, blocks)

    def release(self, slot: int) -> None:
        """Give a slot back.

        Raises:
            WorkerError: the pool has no such slot, or it is free already.
        """
        self._check_held(slot)
        self._free.append(slot)

    def close(self) -> None:
        """Let the memory go; readers that have mapped it keep it until they close too. May be called twice."""
        if self._fd < 0:
            return
        self._slots, self._free = [], []
        _unmap(self._memory)
        self._memory = None
        os.close(self._fd)
        self._fd = -1

    def _check_held(self, slot: int) -> None:
        if not 0 <= slot < len(self._slots) or slot in self._free:
            raise WorkerError(f"slot {slot} of frame pool {self._pool_id} is not in use")


class PoolReader(Closing):
    """The reading side, in the same or another process of the same user.

    Raises:
        WorkerError: the pool cannot be mapped: its process is gone, may not be read, or holds another file there.
    """

    def __init__(self, opened: PoolOpened) -> None:
        self._opened = opened
        size = opened.slots * opened.slot_bytes
        try:
            fd = os.open(f"/proc/{opened.pid}/fd/{opened.fd}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                memory = mmap.mmap(fd, size, prot=mmap.PROT_READ)
            finally:
                os.close(fd)
        except (OSError, ValueError) as error:
            raise WorkerError(f"cannot map the frame pool of process {opened.pid}: {error}") from error
        self._memory: mmap.mmap | None = memory
        self._slots = _slots_of(memory, opened.slots, opened.slot_bytes)
        if any(int(slot.header[_POOL]) != opened.pool_id for slot in self._slots):
            self.close()
            raise WorkerError(f"process {opened.pid} has closed frame pool {opened.pool_id}: its decoder was restarted")

    def view(self, picture: SlotPicture) -> Planes:
        """Return a slot's picture as read-only views, without a copy.

        The views stay mapped as long as they live, but their content is only the frame's while ``is_intact`` says so.

        Raises:
            WorkerError: the picture does not belong to this pool.
        """
        slot, size_px = self._slot(picture), (picture.width_px, picture.height_px)
        blocks = read_blocks(slot.room(*size_px), picture.blocks)
        return Planes(*slot.planes(*size_px), picture.matrix, picture.full_range, blocks)

    def is_intact(self, picture: SlotPicture) -> bool:
        """Tell whether the slot still holds this picture; ask after reading.

        Raises:
            WorkerError: the picture does not belong to this pool.
        """
        header = self._slot(picture).header
        now = (int(header[_GENERATION]), int(header[_WIDTH]), int(header[_HEIGHT]))
        return now == (picture.generation, picture.width_px, picture.height_px)

    def close(self) -> None:
        """Unmap the pool, at once or when the last view dies. May be called twice."""
        self._slots = []
        _unmap(self._memory)
        self._memory = None

    def _slot(self, picture: SlotPicture) -> _Slot:
        fits = slot_bytes_for(picture.width_px, picture.height_px) <= self._opened.slot_bytes
        if picture.pool_id != self._opened.pool_id or not 0 <= picture.slot < len(self._slots) or not fits:
            raise WorkerError(
                f"frame pool {self._opened.pool_id} has no {picture.width_px}x{picture.height_px} picture in slot "
                f"{picture.slot} of pool {picture.pool_id}"
            )
        return self._slots[picture.slot]


def _unmap(memory: mmap.mmap | None) -> None:
    # Arrays of callers may still look into it: then it is unmapped when the last of them dies, so keep no reference.
    if memory is not None:
        with contextlib.suppress(BufferError):
            memory.close()
