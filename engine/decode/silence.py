"""When a camera has been silent for long: longer than it usually is between two packets."""

from __future__ import annotations

from collections import deque
from statistics import median

_REMEMBERED = 5
_TIMES = 2.5
"""The usual time between two packets: a camera of one picture in two seconds is not silent between them."""


class Silence:
    """Knows how far apart packets are. Pure arithmetic on ``time.monotonic``.

    Args:
        after_seconds: no shorter silence is long.
    """

    def __init__(self, after_seconds: float) -> None:
        self._after_seconds = after_seconds
        self._last: float | None = None
        self._gaps: deque[float] = deque(maxlen=_REMEMBERED)

    def came(self, when: float) -> None:
        """Note a packet."""
        if self._last is not None:
            self._gaps.append(when - self._last)
        self._last = when

    def is_long(self, seconds: float) -> bool:
        """Whether so many seconds without a packet are more than are usual."""
        return seconds >= self._after_seconds and seconds >= _TIMES * (median(self._gaps) if self._gaps else 0.0)
