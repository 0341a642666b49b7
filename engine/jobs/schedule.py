"""Which task is next, and what became of the others: pure, without file, process or clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
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
        self._queue: list[tuple[bool, float, int, Entry]] = []
        """A heap of those that wait, the next one first, and of some that do not wait any more."""
        self._queued = 0
        self._waiting: Counter[str] = Counter()
        """Tasks that wait, by recording."""
        self._running = 0
        self.waiting = 0
        """How many could be begun, now or after a pause."""

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
                self._count(entry, 1)
                new.append(entry)
        for entry in new:
            self._judge(entry, now)
            self._queue_up(entry)
        return new

    def next(self, now: float, held: Collection[str] = ()) -> Entry | None:
        """Return what is to be done now, until it is begun; None: nothing can be.

        Args:
            now: the driver's seconds.
            held: keys of tasks that somebody else is at work on.
        """
        later = []
        found = None
        while self._queue and found is None:
            entry = self._queue[0][-1]
            if entry.state != "waiting" or entry.task.recording in self._bad:
                heappop(self._queue)
            elif entry.not_before > now or entry.task.key in held:
                later.append(heappop(self._queue))
            else:
                found = entry
        for one in later:
            heappush(self._queue, one)
        return found

    def begin(self, entry: Entry) -> None:
        """A worker has it now."""
        self._become(entry, "running", 0.0)

    def finish(self, entry: Entry) -> None:
        """Its result is there."""
        self._become(entry, "done", entry.task.seconds)

    def give_back(self, entry: Entry) -> None:
        """Nobody has begun it after all, or it was stopped: that says nothing of it."""
        self._become(entry, "waiting", 0.0)
        self._queue_up(entry)

    def note(self, entry: Entry, attempt: Attempt, now: float) -> None:
        """It was tried, without a result."""
        entry.attempts.append(attempt)
        self._become(entry, "waiting", 0.0)
        self._judge(entry, now)
        self._queue_up(entry)

    def _queue_up(self, entry: Entry) -> None:
        if entry.state == "waiting":
            self._queued += 1
            key = not entry.task.first, -self._costs[entry.task.recording], self._queued
            heappush(self._queue, (*key, entry))

    def _become(self, entry: Entry, state: State, done_seconds: float) -> None:
        self._count(entry, -1)
        entry.state, entry.done_seconds = state, done_seconds
        self._count(entry, 1)

    def _count(self, entry: Entry, by: int) -> None:
        if entry.state == "running":
            self._running += by
        elif entry.state == "waiting":
            self._waiting[entry.task.recording] += by
            if entry.task.recording not in self._bad:
                self.waiting += by

    def _judge(self, entry: Entry, now: float) -> None:
        verdict = judge(entry.attempts)
        if verdict.fate == "again":
            entry.not_before = now + verdict.pause_seconds
            return
        self._become(entry, verdict.fate, entry.done_seconds)
        entry.reason = verdict.reason
        if entry.task.recording not in self._bad:
            self._bad[entry.task.recording] = entry
            self.waiting -= self._waiting[entry.task.recording]

    @property
    def bad(self) -> dict[str, Entry]:
        """Recordings that are not whole, each with the task for which that is."""
        return self._bad

    @property
    def is_over(self) -> bool:
        """Whether nothing is left that could be done."""
        return not self._running and not self.waiting
