"""What happens when: the loop of a discrete-event simulation."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Clock:
    """Simulated seconds. Of what happens at the same time, what was planned first happens first."""

    def __init__(self) -> None:
        self.now = 0.0
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, happens: Callable[[], None]) -> None:
        """Plan something."""
        heapq.heappush(self._planned, (self.now + seconds, next(self._numbers), happens))

    def run(self, until: float) -> None:
        """Let everything up to a moment happen."""
        while self._planned and self._planned[0][0] <= until:
            self.now, _, happens = heapq.heappop(self._planned)
            happens()
        self.now = max(self.now, until)
