"""How long a reader waits."""

from __future__ import annotations

import time


class Deadline:
    """Passes after so many seconds, unless it is renewed before; None: never."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Begin again."""
        self._at = None if self._seconds is None else time.monotonic() + self._seconds

    @property
    def left_seconds(self) -> float | None:
        """What is left, 0 or more; None: all time."""
        return None if self._at is None else max(0.0, self._at - time.monotonic())
