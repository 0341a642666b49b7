"""Items of several streams that wait for one stage: taken in turn, and those of cameras give way when they are late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Item = TypeVar("Item")
Cause = Literal["late", "stale"]
_CLOSE = 0.75
"""Of the budget: what is handed out after so long would soon have been dropped."""


@dataclass(slots=True)
class _Entry(Generic[Item]):
    item: Item
    since_seconds: float | None
    """When its time began; None: it must not be dropped."""


class FairQueue(Generic[Item]):
    """Keeps the order within a stream; a busy stream takes no other stream's turn.

    Two rules keep what is droppable fresh: of each stream at most ``waiting`` such items wait, the oldest gives way (``late``);
    and one that has waited longer than the budget is not handed out any more (``stale``).

    Args:
        waiting: droppable items of one stream.
        budget_seconds: since the time given with them.
        on_drop: is told of each one that gives way.
    """

    def __init__(self, waiting: int, budget_seconds: float, on_drop: Callable[[str, Item, Cause], None]) -> None:
        self._waiting = waiting
        self._budget_seconds = budget_seconds
        self._on_drop = on_drop
        self._streams: dict[str, deque[_Entry[Item]]] = {}
        self._length = self._close_calls = 0

    def __len__(self) -> int:
        return self._length

    def put(self, stream: str, item: Item, since_seconds: float | None = None) -> None:
        """Append an item.

        Args:
            stream: whose turn it takes.
            item: anything.
            since_seconds: when its time began, on the clock that ``take`` is given; None for what must not be dropped.
        """
        entries = self._streams.setdefault(stream, deque())
        entries.append(_Entry(item, since_seconds))
        self._length += 1
        if since_seconds is not None and _droppable(entries) > self._waiting:
            oldest = next(entry for entry in entries if entry.since_seconds is not None)
            entries.remove(oldest)
            self._length -= 1
            self._on_drop(stream, oldest.item, "late")

    def take(self, now_seconds: float) -> Item | None:
        """Return the oldest item of the stream whose turn it is; None if nothing waits that is still fresh."""
        for stream in list(self._streams):
            entries = self._streams.pop(stream)
            while entries:
                entry = entries.popleft()
                self._length -= 1
                since_seconds = entry.since_seconds
                if since_seconds is None or now_seconds - since_seconds <= self._budget_seconds:
                    if since_seconds is not None and self._is_close(now_seconds - since_seconds, entries):
                        self._close_calls += 1
                    if entries:
                        self._streams[stream] = entries  # behind all others
                    return entry.item
                self._on_drop(stream, entry.item, "stale")
        return None

    def take_close_calls(self) -> int:
        """Return how many items were handed out just before they would have been dropped, since this was last asked."""
        calls, self._close_calls = self._close_calls, 0
        return calls

    def _is_close(self, waited_seconds: float, behind: deque[_Entry[Item]]) -> bool:
        """Whether it was about to become stale, or would have given way to the next one of its stream."""
        return waited_seconds > _CLOSE * self._budget_seconds or 0 < _droppable(behind) == self._waiting - 1


def _droppable(entries: deque[_Entry[Item]]) -> int:
    return sum(entry.since_seconds is not None for entry in entries)
