"""Warns that a ``push`` socket is waiting for its reader: a run that stalls must say why."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_SECONDS, _NEXT_SECONDS = 5.0, 60.0


class Patience:
    """Of one socket.

    Args:
        warn: is told in a sentence when a message has waited for some seconds, and then now and again.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.warn = warn
        """What is told."""
        self._since: float | None = None
        self._next = 0.0

    def waits(self, endpoint: str) -> None:
        """A message has no room yet."""
        now = time.monotonic()
        if self._since is None:
            self._since, self._next = now, now + _FIRST_SECONDS
        elif now >= self._next:
            self._next = now + _NEXT_SECONDS
            self.warn(
                f"no reader has taken a message from {endpoint} for {now - self._since:.0f} s, so the push socket waits, "
                f"and the whole run with it: `facestream watch {endpoint} --socket pull` is a reader"
            )

    def is_over(self) -> None:
        """The message has gone."""
        self._since = None
