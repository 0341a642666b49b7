"""How far long work is, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Done = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is, and of how much."""


class WorkCount:
    """Counts work of several kinds whose totals are known."""

    def __init__(self, done: Done, totals: Mapping[str, int]) -> None:
        """``totals``: by the kinds' names; ``done`` hears of every step."""
        self._done, self._totals, self._counts = done, totals, dict.fromkeys(totals, 0)

    def add(self, what: str, count: int = 1) -> None:
        """So many more are done."""
        self._counts[what] += count
        self._done(what, self._counts[what], self._totals[what])
