"""Counts the signals that ask a run to end."""

from __future__ import annotations

import signal
from types import FrameType


class CountedSignals:
    """Takes SIGINT and SIGTERM over inside a ``with``; for the main thread."""

    def __init__(self) -> None:
        self.count = 0
        """How many came."""
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> CountedSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
