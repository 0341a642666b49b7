"""Says the same thing only now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

_QUIET_SECONDS = 60.0
_MOST_CAUSES = 1000


class Pace:
    """Once in a minute for each cause. For any number of threads and causes: those of long ago are forgotten."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._left_out: dict[str, int] = {}
        self._lock = Lock()

    def due(self, cause: str) -> int | None:
        """Return None where there was one of this cause a moment ago, else how many were left out since."""
        now = time.monotonic()
        with self._lock:
            if cause in self._told and now - self._told[cause] < _QUIET_SECONDS:
                self._left_out[cause] = self._left_out.get(cause, 0) + 1
                return None
            self._told.pop(cause, None)  # the dictionary is in order of time
            self._told[cause] = now
            while len(self._told) > _MOST_CAUSES:
                oldest = next(iter(self._told))
                del self._told[oldest]
                self._left_out.pop(oldest, None)
            return self._left_out.pop(cause, 0)


class Seldom:
    """Passes on one sentence in a minute for each cause, with how many were left out.

    Args:
        warn: what says it.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn, self._pace = warn, Pace()

    def say(self, cause: str, sentence: str) -> None:
        """Say it, unless something of this cause was said a moment ago."""
        more = self._pace.due(cause)
        if more is not None:
            self._warn(f"{sentence} (and {more} more like it)" if more else sentence)
