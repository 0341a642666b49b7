"""Progress of long work, for display."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Done = Callable[[str, int, int], None]
"""Called with the name of the work, how much is done, and the total."""


class WorkCount:
    """Counts work of several kinds whose totals are known."""

    def __init__(self, done: Done, totals: Mapping[str, int]) -> None:
        """``totals``: by the kinds' names; ``done`` hears of every step."""
        self._done, self._totals, self._counts = done, totals, dict.fromkeys(totals, 0)

    def add(self, what: str, count: int = 1) -> None:
        """Note that ``count`` more are done."""
        self._counts[what] += count
        self._done(what, self._counts[what], self._totals[what])
