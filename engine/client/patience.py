"""How long a reader waits."""

from __future__ import annotations

import time


class Patience:
    """Ends after so many seconds without being renewed; None: never."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Begin anew."""
        self._deadline = None if self._seconds is None else time.monotonic() + self._seconds

    @property
    def left_seconds(self) -> float | None:
        """What is left, 0 or more; None: all time."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
