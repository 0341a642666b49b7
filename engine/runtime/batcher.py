"""Closes batches: when they are full, or a fixed time after their first item."""

from __future__ import annotations

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Batcher(Generic[Item]):
    """Collects items into batches of at most ``max_batch``, none of which stays open longer than ``max_wait_seconds``.

    The clock is the caller's: pass monotonic seconds.
    """

    def __init__(self, max_batch: int, max_wait_seconds: float) -> None:
        self._max_batch = max_batch
        self._max_wait_seconds = max_wait_seconds
        self._items: list[Item] = []
        self._deadline = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, now: float) -> list[Item] | None:
        """Take one item; return the batch if this one filled it."""
        if not self._items:
            self._deadline = now + self._max_wait_seconds
        self._items.append(item)
        return self.close() if len(self._items) >= self._max_batch else None

    def due(self, now: float) -> list[Item] | None:
        """Return the open batch if its time is over."""
        return self.close() if self._items and now >= self._deadline else None

    def seconds_left(self, now: float) -> float | None:
        """Return how long the open batch may still wait (not below 0), None if nothing is waiting."""
        return max(0.0, self._deadline - now) if self._items else None

    def close(self) -> list[Item]:
        """Return what is waiting, in order, and start anew."""
        items, self._items = self._items, []
        return items
