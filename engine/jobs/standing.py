"""The progress of a job, and the time that is left: pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from engine.jobs.schedule import Entry, Schedule

_WINDOW_SECONDS = 600.0
_LEAST_SECONDS = 5.0
MOST_TOLD = 1000
Phase = Literal["working", "finishing", "joining", "done", "stopped", "failed"]
"""``finishing``: what runs is brought to its end, nothing else is begun; ``joining``: all is processed."""


class Bad(msgspec.Struct, frozen=True):
    """A recording that is not whole."""

    recording: str
    state: Literal["failed", "set_aside"]
    reason: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A job at one moment."""

    phase: Phase
    recordings: int
    recordings_done: int
    recordings_failed: int
    recordings_set_aside: int
    video_seconds: float
    """Of all recordings that were looked at; those that have failed, too."""
    video_seconds_done: float
    tasks: int
    tasks_done: int
    tasks_running: int
    attempts_repeated: int
    """Attempts that left no result and were made again."""
    workers: int
    seconds: float
    """Since this command began."""
    times_real_time: float | None
    """Seconds of video a second, of the last minutes; None: not known yet."""
    seconds_left: float | None
    """About; None: not known yet."""
    bad: list[Bad] = []
    """The first ``MOST_TOLD``."""
    problem: str = ""
    """Why it cannot go on, where it has failed."""


class Pace:
    """How fast a job goes, from what was done lately.

    What is left is counted in cost, not in tasks or recordings: a long one is not taken for a short one. It takes at least as
    long as the largest task that is left takes one worker.
    """

    def __init__(self) -> None:
        self._points: deque[tuple[float, float, float, int]] = deque()

    def note(self, now: float, cost: float, seconds: float, busy: int) -> None:
        """Remember a moment.

        Args:
            now: seconds.
            cost: that was done up to now, parts of tasks included.
            seconds: of video, likewise.
            busy: workers that have something to do.
        """
        self._points.append((now, cost, seconds, busy))
        while len(self._points) > 2 and now - self._points[1][0] > _WINDOW_SECONDS:
            self._points.popleft()

    def _over(self) -> tuple[float, float, float, float] | None:
        """Return seconds, cost and seconds of video in them, and the workers that were busy in the mean."""
        if len(self._points) < 2:
            return None
        (then, cost, video, _), (now, more_cost, more_video, _) = self._points[0], self._points[-1]
        if now - then < _LEAST_SECONDS or more_cost <= cost:
            return None
        busy = sum(point[3] for point in self._points) / len(self._points)
        return now - then, more_cost - cost, more_video - video, max(busy, 1.0)

    @property
    def times_real_time(self) -> float | None:
        """Seconds of video a second."""
        over = self._over()
        return None if over is None else over[2] / over[0]

    def seconds_left(self, cost_left: float, largest_left: float, workers: int) -> float | None:
        """Return how long the rest will take.

        Args:
            cost_left: of all tasks.
            largest_left: of the one of which most is left.
            workers: there are.
        """
        over = self._over()
        if over is None:
            return None
        each = over[1] / over[0] / over[3]
        return max(cost_left / (each * max(workers, 1)), largest_left / each)


def left_of(entry: Entry) -> float:
    """Return the cost of what is left of a task; what others are planned by is quick, and not counted."""
    if entry.state not in ("waiting", "running") or entry.task.first:
        return 0.0
    share = entry.done_seconds / entry.task.seconds if entry.task.seconds > 0 else 0.0
    return entry.task.cost * (1.0 - min(share, 1.0))


def done_cost(entries: Iterable[Entry]) -> float:
    """Return the cost of what was done, parts of tasks included."""
    counted = [one for one in entries if one.state in ("running", "done") and not one.task.first]
    return sum(one.task.cost - left_of(one) for one in counted)


def bad_of(schedule: Schedule, failed: Mapping[str, str]) -> list[Bad]:
    """Return the recordings that are not whole.

    Args:
        schedule: of the job.
        failed: recordings whose results say so, with the reason.
    """
    found = {name: Bad(name, "failed", reason) for name, reason in failed.items()}
    for name, entry in schedule.bad.items():
        found[name] = Bad(name, "set_aside" if entry.state == "set_aside" else "failed", entry.reason)
    return list(found.values())
