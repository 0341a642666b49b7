"""When a dead worker is restarted."""

from __future__ import annotations

from collections import deque

_MINUTE = 60.0


class Restarts:
    """The books of who died when, and of who is due.

    Args:
        per_minute: so many deaths of one worker within a minute are followed by a new start at once.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._deaths: dict[str, deque[float]] = {}
        self._due: dict[str, float] = {}

    def __bool__(self) -> bool:
        """Whether anybody is still to be started."""
        return bool(self._due)

    def note_death(self, name: str, now_seconds: float, *, at_fault: bool) -> int:
        """Note a death; return how often the worker has died within the minute, by its own fault."""
        deaths = self._deaths.setdefault(name, deque())
        while deaths and now_seconds - deaths[0] > _MINUTE:
            deaths.popleft()
        if at_fault:
            deaths.append(now_seconds)
        return len(deaths)

    def plan(self, name: str, now_seconds: float) -> None:
        """Let a worker be started: now, or where it died too often, when the minute is over."""
        self._due[name] = self._deaths[name][0] + _MINUTE if self.died_too_often(name) else now_seconds

    def postpone(self, name: str, now_seconds: float) -> None:
        """It could not be started: try again in a minute."""
        self._due[name] = now_seconds + _MINUTE

    def died_too_often(self, name: str) -> bool:
        """Whether a worker, as of its newest death, should not be started at once."""
        return len(self._deaths[name]) > self._per_minute

    def take_due(self, now_seconds: float) -> list[str]:
        """Return those whose time has come, once."""
        names = [name for name, due in self._due.items() if due <= now_seconds]
        for name in names:
            del self._due[name]
        return names

    def cancel(self) -> None:
        """Nobody is started any more."""
        self._due.clear()

    def forget(self, name: str) -> None:
        """The worker has left for good."""
        self._deaths.pop(name, None)
        self._due.pop(name, None)
