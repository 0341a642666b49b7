"""Decides when a camera has been silent for long: longer than it usually is between two packets."""

from __future__ import annotations

from collections import deque
from statistics import median

_REMEMBERED = 5
_TIMES = 2.5
"""Multiple of the usual time between packets: a camera with one picture in two seconds is not silent in between."""


class Silence:
    """Tracks the time between packets. Pure arithmetic on ``time.monotonic``.

    Args:
        after_seconds: a shorter silence never counts as long.
    """

    def __init__(self, after_seconds: float) -> None:
        self._after_seconds = after_seconds
        self._last: float | None = None
        self._gaps: deque[float] = deque(maxlen=_REMEMBERED)

    def came(self, when: float) -> None:
        """Note the arrival of a packet."""
        if self._last is not None:
            self._gaps.append(when - self._last)
        self._last = when

    def is_long(self, seconds: float) -> bool:
        """Whether ``seconds`` without a packet are more than usual."""
        return seconds >= self._after_seconds and seconds >= _TIMES * (median(self._gaps) if self._gaps else 0.0)
