"""Frames that have been looked at and wait for their main stream's picture, with what comes behind them in their stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class HeldFrames(Generic[Item]):
    """Keeps the order of each stream; streams do not wait for each other.

    Args:
        stream_of: returns the stream of an item.
        waits: tells whether an item must still wait.
    """

    def __init__(self, stream_of: Callable[[Item], str], waits: Callable[[Item], bool]) -> None:
        self._stream_of, self._waits = stream_of, waits
        self._held: dict[str, deque[Item]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def hold(self, item: Item) -> bool:
        """Keep an item if it must wait, or stands behind one that does; return whether."""
        stream = self._stream_of(item)
        if stream not in self._held and not self._waits(item):
            return False
        self._held.setdefault(stream, deque()).append(item)
        return True

    def take(self) -> Item | None:
        """Return an item that need not wait any more, None if there is none."""
        for stream, held in self._held.items():
            if not self._waits(held[0]):
                item = held.popleft()
                if not held:
                    del self._held[stream]
                return item
        return None
