"""Which task is next, and what has become of all: pure, without file, process or clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.jobs.attempts import Attempt, Attempts, judge
from engine.jobs.task import Task

State = Literal["waiting", "running", "done", "failed", "set_aside"]


@dataclass
class Entry:
    """A task, and how it stands."""

    task: Task
    state: State = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    not_before: float = 0.0
    """When it may be tried again, in the driver's seconds."""
    reason: str = ""
    """Why it has failed, or is set aside."""
    done_seconds: float = 0.0
    """Of video, of a running one."""


class Schedule:
    """The tasks of a job. A recording of which one task has failed has failed: its other tasks are not begun any more.

    The largest recordings come first, so that none that takes long begins when all others are done; each in its order, so
    that what is begun comes to its end.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._bad: dict[str, Entry] = {}
        """Recording to the task for which it has failed."""
        self._costs: dict[str, float] = defaultdict(float)
        """Of each recording, of all its tasks."""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def add(self, tasks: Iterable[Task], attempts: Mapping[str, Attempts], now: float = 0.0) -> list[Entry]:
        """Take further tasks, with what is known of earlier attempts at them; return those that were not there yet."""
        new = []
        for task in tasks:
            if task.key not in self._entries:
                known = attempts[task.key].attempts if task.key in attempts else []
                entry = self._entries[task.key] = Entry(task, attempts=list(known))
                self._costs[task.recording] += task.cost
                self._judge(entry, now)
                new.append(entry)
        return new

    def next(self, now: float, held: Iterable[str] = ()) -> Entry | None:
        """Return what is to be done now; None: nothing can be.

        Args:
            now: the driver's seconds.
            held: keys of tasks that somebody else is at work on.
        """
        others = set(held)
        free = (
            one
            for one in self._entries.values()
            if one.state == "waiting"
            and one.not_before <= now
            and one.task.key not in others
            and one.task.recording not in self._bad
        )
        return max(free, key=lambda one: (one.task.first, self._costs[one.task.recording]), default=None)

    def begin(self, entry: Entry) -> None:
        """A worker has it now."""
        entry.state, entry.done_seconds = "running", 0.0

    def finish(self, entry: Entry) -> None:
        """Its result is there."""
        entry.state, entry.done_seconds = "done", entry.task.seconds

    def give_back(self, entry: Entry) -> None:
        """Nobody has begun it after all, or it was stopped: that says nothing of it."""
        entry.state, entry.done_seconds = "waiting", 0.0

    def note(self, entry: Entry, attempt: Attempt, now: float) -> None:
        """It was tried, without a result."""
        self.give_back(entry)
        entry.attempts.append(attempt)
        self._judge(entry, now)

    def _judge(self, entry: Entry, now: float) -> None:
        verdict = judge(entry.attempts)
        if verdict.fate == "again":
            entry.not_before = now + verdict.pause_seconds
        else:
            entry.state, entry.reason = verdict.fate, verdict.reason
            self._bad.setdefault(entry.task.recording, entry)

    @property
    def bad(self) -> dict[str, Entry]:
        """Recordings that are not whole, each with the task for which that is."""
        return self._bad

    @property
    def is_over(self) -> bool:
        """Whether nothing is left that could be done."""
        return not any(
            one.state == "running" or (one.state == "waiting" and one.task.recording not in self._bad)
            for one in self._entries.values()
        )
