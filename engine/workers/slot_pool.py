"""The slots of one kind of picture in a process that decodes: a frame pool that is replaced where larger pictures come."""

from __future__ import annotations

from collections.abc import Callable

from engine.contracts.frames import Planes
from engine.runtime.frame_pool import PoolWriter, slot_bytes_for
from engine.runtime.frame_slots import PoolOpened, SlotPicture


class SlotPool:
    """Pictures that the reader has in hand, by slot. Not thread-safe.

    Args:
        slots: pictures that it holds.
        new_id: returns an id that no pool of this process had.
        opened: is told of each new pool, before its first picture.
    """

    def __init__(self, slots: int, new_id: Callable[[], int], opened: Callable[[PoolOpened], None]) -> None:
        self._count, self._new_id, self._opened = slots, new_id, opened
        self._pool: PoolWriter | None = None
        self._pool_id = 0
        self._replaces = 0
        self.in_use: set[int] = set()
        """Slots that the reader has in hand."""

    @property
    def is_open(self) -> bool:
        """Whether there is memory for pictures."""
        return self._pool is not None

    def fits(self, planes: Planes) -> bool:
        """Whether a picture of this size can be taken without a larger pool."""
        return self._pool is None or slot_bytes_for(planes.width_px, planes.height_px) <= self._pool.slot_bytes

    def take(self, planes: Planes) -> int | None:
        """Return a slot for a picture, None where all are in use; a larger pool takes the place of one that is too small, which
        must not be in use.

        Raises:
            WorkerError: there is no memory for it.
        """
        if not self.fits(planes):
            self.close()
        if self._pool is None:
            self._replaces, self._pool_id = self._pool_id, self._new_id()
            self._pool = PoolWriter(self._pool_id, self._count, slot_bytes_for(planes.width_px, planes.height_px))
            self.tell()
        return self._pool.acquire()

    def write(self, slot: int, planes: Planes) -> SlotPicture:
        """Copy a picture into a slot that was taken; it is in the reader's hand from now on."""
        assert self._pool is not None, "a slot is of a pool"
        picture = self._pool.write(slot, planes)
        self.in_use.add(slot)
        return picture

    def tell(self) -> None:
        """Show the pool, if there is one, to a reader."""
        if self._pool is not None:
            self._opened(self._pool.opened(self._replaces))

    def has(self, pool_id: int, slot: int) -> bool:
        """Whether a picture of this pool is in the reader's hand."""
        return pool_id == self._pool_id and slot in self.in_use

    def free(self, slot: int) -> None:
        """The reader is done with a slot."""
        self.in_use.discard(slot)
        if self._pool is not None:
            self._pool.release(slot)

    def close(self) -> None:
        """Free the memory; readers that have mapped it keep it until they close too."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self.in_use.clear()
