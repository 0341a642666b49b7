"""Says the same thing only now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

_QUIET_SECONDS = 60.0


class Seldom:
    """Passes on one sentence in a minute for each cause, with how many were left out.

    Args:
        warn: what says it.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._told: dict[str, float] = {}
        self._left_out: dict[str, int] = {}
        self._lock = Lock()

    def say(self, cause: str, sentence: str) -> None:
        """Say it, unless something of this cause was said a moment ago. There must be few causes."""
        now = time.monotonic()
        with self._lock:
            if cause in self._told and now - self._told[cause] < _QUIET_SECONDS:
                self._left_out[cause] = self._left_out.get(cause, 0) + 1
                return
            more = self._left_out.pop(cause, 0)
            self._told[cause] = now
        self._warn(f"{sentence} (and {more} more like it)" if more else sentence)
