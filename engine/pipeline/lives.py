"""Cameras that are no longer read but whose last messages are still on their way: the rule, as pure data."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass
class _Life:
    """Of a camera, from when its process is started."""

    leaves: bool = False
    """Nobody comes after its process, which may be there yet."""
    ended: float | None = None
    """Since when there is no process any more; None: there is one."""


class Lives:
    """Which streams have a life of which the last word has not been sent.

    A life is over when publish has passed its last state: everything before that has come through all workers, and nothing
    comes behind it. The end of its process says neither: faces of it may be on their way yet, and it may take long to hang up.
    A last state that a dead worker took along is waited for only so long after the process has ended. One that comes again, as
    when publish has died, or comes later than that, is not taken for that of a life which goes on.

    Args:
        wait_seconds: so long.
    """

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._lives = defaultdict[str, deque[_Life]](deque)
        """Of each stream, the oldest first: one of that name may be added again before the last word of the one before."""

    def begin(self, stream: str) -> None:
        """A camera's process is started; who takes the place of one that died continues its life."""
        self._lives[stream].append(_Life())

    def said(self, stream: str) -> None:
        """A last state was passed."""
        if (lives := self._lives[stream]) and lives[0].leaves:
            lives.popleft()

    def leave(self, stream: str) -> None:
        """A camera's process is told to end, or has died, and nobody comes after it."""
        for life in self._lives[stream]:
            if not life.leaves:
                life.leaves = True
                return

    def process_ended(self, stream: str, now: float) -> None:
        """The process of a camera that leaves has ended."""
        for life in self._lives[stream]:
            if life.ended is None:
                life.ended = now
                return

    def unsaid(self, now: float) -> set[str]:
        """Return the streams that have one of which something may still be said."""
        for stream, lives in list(self._lives.items()):
            while lives and (ended := lives[0].ended) is not None and now - ended > self._wait_seconds:
                lives.popleft()
            if not lives:
                del self._lives[stream]
        return set(self._lives)
