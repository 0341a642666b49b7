"""Time that does not pass while this process is stopped: by Ctrl-Z, in a paused container, on a machine that was suspended.

Nobody who was stopped as well could say a word meanwhile: a limit of silence in the time of the day ends all of them at once.
"""

from __future__ import annotations

import time

_LONGEST_STEP_SECONDS = 2.0
"""A process that runs looks at the clock more often than this."""


class AwakeClock:
    """The monotonic clock, of which a longer step between two looks counts as a short one. Ask again and again."""

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._stopped_seconds = 0.0

    def now(self) -> float:
        """Return the seconds from some moment on."""
        now = time.monotonic()
        self._stopped_seconds += max(0.0, now - self._looked - _LONGEST_STEP_SECONDS)
        self._looked = now
        return now - self._stopped_seconds
