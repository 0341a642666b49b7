"""Runs a function on several items at once and hands the results back in the order of the items of each key."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Tag = TypeVar("Tag")
Value = TypeVar("Value")
Result = TypeVar("Result")


class OrderedPool(Generic[Tag, Value, Result]):
    """Threads for a function that releases the interpreter lock (inference does).

    Each item has a tag, which comes back with its result; an item without a value waits its turn like the others, so that
    the order is kept, and comes back with None. Items of different keys may overtake each other.

    A thread takes as many values as wait when it becomes free, up to ``together``: while one batch is computed the next one
    gathers, and none waits for company.

    The pool can be waited for like a channel: its descriptor is readable while something has become done.

    Args:
        function: gives one result for each of the values that it takes.
        workers: threads.
        name: of the threads.
        together: values of one call at most.
    """

    def __init__(
        self, function: Callable[[Sequence[Value]], Sequence[Result]], workers: int, name: str, together: int = 1
    ) -> None:
        self._function, self._together = function, together
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._queue: list[tuple[Hashable, Tag, Future[Result] | None]] = []
        self._values: deque[tuple[Value, Future[Result]]] = deque()
        """Those that no thread has taken."""
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.capacity = (workers + 1) * together
        """More items than this gain nothing: a call for each thread and one that is gathering."""

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def has_room(self) -> bool:
        return len(self._queue) < self.capacity

    def fileno(self) -> int:
        return self._woken

    def put(self, tag: Tag, value: Value | None, key: Hashable = None) -> None:
        """Start on one item."""
        future: Future[Result] | None = None
        if value is not None:
            future = Future()
            self._values.append((value, future))
            self._executor.submit(self._work)
        self._queue.append((key, tag, future))

    def take_done(self) -> tuple[Tag, Result | None] | None:
        """Return the tag and result of the oldest item that is done and before which none of its key waits; None if there is
        none. An error of the function is raised here."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._woken)
        waiting: set[Hashable] = set()
        for place, (key, tag, future) in enumerate(self._queue):
            if key not in waiting and (future is None or future.done()):
                del self._queue[place]
                return tag, None if future is None else future.result()
            waiting.add(key)
        return None

    def close(self) -> None:
        """Drop what has not begun and end the threads. May be called twice."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        if self._woken >= 0:
            os.close(self._woken)
            self._woken = -1

    def _work(self) -> None:
        """Compute what waits; another call may have taken it all."""
        taken: list[tuple[Value, Future[Result]]] = []
        with contextlib.suppress(IndexError):
            while len(taken) < self._together:
                taken.append(self._values.popleft())
        if not taken:
            return
        try:
            results = self._function([value for value, _ in taken])
            for (_, future), result in zip(taken, results, strict=True):
                future.set_result(result)
        except BaseException as error:
            for _, future in taken:
                if not future.done():
                    future.set_exception(error)
        os.eventfd_write(self._woken, 1)
