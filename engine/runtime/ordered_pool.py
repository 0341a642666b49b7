"""Runs a function on several items at once and hands the results back in the order of the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Tag = TypeVar("Tag")
Value = TypeVar("Value")
Result = TypeVar("Result")


class OrderedPool(Generic[Tag, Value, Result]):
    """Threads for a function that releases the interpreter lock (inference does).

    Each item has a tag, which comes back with its result; an item without a value waits its turn like the others, so that
    the order is kept, and comes back with None.
    """

    def __init__(self, function: Callable[[Value], Result], workers: int, name: str) -> None:
        self._function = function
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._queue: deque[tuple[Tag, Future[Result] | None]] = deque()
        self.capacity = workers + 1
        """More items than this gain nothing: one for each thread and one that is waiting."""

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def has_room(self) -> bool:
        return len(self._queue) < self.capacity

    @property
    def is_next_done(self) -> bool:
        """Whether ``take`` would return at once."""
        return bool(self._queue) and ((future := self._queue[0][1]) is None or future.done())

    def put(self, tag: Tag, value: Value | None) -> None:
        """Start on one item."""
        self._queue.append((tag, None if value is None else self._executor.submit(self._function, value)))

    def take(self) -> tuple[Tag, Result | None]:
        """Return the oldest item's tag and result, waiting for it; an error of the function is raised here."""
        tag, future = self._queue.popleft()
        return tag, None if future is None else future.result()

    def close(self) -> None:
        """Drop what has not begun and end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)
