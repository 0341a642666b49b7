"""What the wall clock showed some time ago, where "ago" is measured by a clock that nobody sets."""

from __future__ import annotations

import time
from collections import deque

_STEP_SECONDS = 600.0


class PastClock:
    """Looks at both clocks now and then, whenever it is asked.

    So what was stamped with the wall clock of its time can be found by its age, also where that clock was set meanwhile, as by
    NTP after a start without a network. Of what was stamped before this was made the present wall clock is believed.
    """

    def __init__(self) -> None:
        self._notes = deque([(time.monotonic(), time.time_ns())])

    def ago_ns(self, seconds: float) -> int:
        """Return what the wall clock showed (Unix, nanoseconds); less where it was set back since then, so that everything that
        is younger has a later stamp."""
        now = time.monotonic()
        if now - self._notes[-1][0] >= _STEP_SECONDS:
            self._notes.append((now, time.time_ns()))
        then = now - seconds
        while len(self._notes) > 1 and self._notes[1][0] <= then:
            self._notes.popleft()
        at, wall_ns = self._notes[0]
        return min([wall_ns + round((then - at) * 1e9), time.time_ns(), *(wall for _, wall in list(self._notes)[1:])])
