"""The loop that drives a job: hands tasks to workers, notes what became of them, and tells how it stands.

It may be killed at any moment: everything that it knows is in the job's directory, or follows from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Protocol

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import FacestreamError, OutputError
from engine.jobs.attempts import Attempt, Attempts
from engine.jobs.job_folder import STATUS, JobFolder
from engine.jobs.lease import Lease, Observer
from engine.jobs.messages import Ended
from engine.jobs.schedule import Entry, Schedule
from engine.jobs.standing import MOST_TOLD, Bad, Pace, Phase, Standing, bad_of, done_cost, left_of
from engine.jobs.task import Task

_LOOK_SECONDS = 1.0
_POLL_SECONDS = 0.5
_TOGETHER_COST, _TOGETHER = 20.0, 16
"""The most that is handed out together, in seconds of video and in tasks: a worker need not wait after each second of work."""


class JobStopped(FacestreamError):
    """Somebody asked twice to stop: nothing was waited for."""

    exit_code = 130


class Work(Protocol):
    """What a job consists of."""

    recordings: int
    """How many it is over."""

    def first(self) -> list[Task]:
        """Return the tasks with which it begins."""
        ...

    @property
    def failed(self) -> Mapping[str, str]:
        """Recordings that could not be read, or not to their end, with the reason: that is a result, too."""
        ...

    def after(self, task: Task, result: Path) -> list[Task]:
        """Return what follows from a result; the same at every call.

        Raises:
            PublishError: the result cannot be read, or contradicts others.
        """
        ...

    def is_done(self, recording: str) -> bool:
        """Whether the results that were given to ``after`` are all that there is to do of a recording."""
        ...

    def unplanned(self) -> tuple[float, float]:
        """Return seconds of video, and cost, of what no task is known for yet: about."""
        ...


class Workers(Protocol):
    """Those who do tasks."""

    def idle(self, wanted: int) -> list[str]:
        """Return the names of those that have nothing to do; there is no use for more than ``wanted`` workers."""
        ...

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        """Let an idle one do tasks, one after the other."""
        ...

    def poll(self, seconds: float) -> list[tuple[str, list[Ended]]]:
        """Wait so long at most for workers that are done with what they were given; return the name of each, and how its tasks
        have ended, in their order. It may have left the last of them. One that is gone with its tasks says ``lost``, once.

        Raises:
            FacestreamError: there are no workers, and none will come.
        """
        ...

    def node_of(self, worker: str) -> str:
        """Return where one is, for people."""
        ...

    def __len__(self) -> int: ...


class Driver:
    """Drives one job.

    Args:
        folder: of the job; nobody else drives it.
        work: what it consists of.
        workers: who do it.
        asked_to_stop: how often somebody has asked: once brings to an end what runs, twice leaves it.
        show: takes how it stands, each second.
        join: makes the whole of what all tasks have left, when nothing more is to be done.
    """

    def __init__(
        self,
        folder: JobFolder,
        work: Work,
        workers: Workers,
        asked_to_stop: Callable[[], int],
        show: Callable[[Standing], None],
        join: Callable[[list[Bad]], None] = lambda bad: None,
    ) -> None:
        self._folder, self._work, self._workers = folder, work, workers
        self._asked, self._show, self._join = asked_to_stop, show, join
        self._attempts = folder.read_attempts()
        self._observer, self._held = Observer(folder.leases), dict[str, Lease]()
        self.schedule, self._pace = Schedule(), Pace()
        self._running: dict[str, list[Entry]] = {}
        self._began = self._looked = time.monotonic()
        self._known_done = 0.0

    def drive(self) -> Standing:
        """Work until everything is done, set aside or failed, or until somebody asks to stop; return how it stands then.

        Raises:
            JobStopped: somebody asked twice.
            FacestreamError: nothing can go on, as without a model; what was done stays.
        """
        try:
            self._take_up()
            while not self.schedule.is_over and not (self._asked() and not self._running):
                if self._asked() > 1:
                    raise JobStopped("stopped at once: what was done is kept, the same command goes on")
                self._turn()
            if self.schedule.is_over:
                self._tell("joining")
                self._join(bad_of(self.schedule, self._work.failed))
        except BaseException as error:
            for entry in self._in_hand():  # whoever goes on need not wait for leases that nobody renews
                (self._folder.leases / entry.task.key).unlink(missing_ok=True)
            if isinstance(error, JobStopped | KeyboardInterrupt):
                self._tell("stopped")
            else:
                self._tell("failed", str(error))
            raise
        return self._tell("done" if self.schedule.is_over else "stopped")

    def _take_up(self) -> None:
        """Find out what was done before."""
        done = self._folder.done()
        self._held = self._observer.look()
        self._folder.clean({lease.owner for lease in self._held.values()})
        new = self.schedule.add(self._work.first(), self._attempts)
        while new:
            entry = new.pop()
            if entry.task.key in done:
                new += self._finish(entry)
        self._known_done = done_cost(list(self.schedule))
        self._tell("working")

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._look()
        if not self._asked():
            for worker in self._workers.idle(self.schedule.waiting + len(self._running)):
                if not (together := self._begin_some(now)):
                    break
                self._running[worker] = together
                self._workers.give(worker, [entry.task for entry in together])
        for worker, ended in self._workers.poll(_POLL_SECONDS):
            self._note_all(self._running.pop(worker, []), ended, self._workers.node_of(worker))

    def _in_hand(self) -> list[Entry]:
        return [entry for together in self._running.values() for entry in together]

    def _begin_some(self, now: float) -> list[Entry]:
        """Begin what one worker is to do: one task, or some short ones where that leaves enough to all others. What was tried
        before goes alone."""
        others = self._held.keys() - {one.task.key for one in self._in_hand()}
        most = min(_TOGETHER, self.schedule.waiting // (2 * max(1, len(self._workers))))
        together, cost = list[Entry](), 0.0
        while (entry := self.schedule.next(now, others)) is not None:
            cost += entry.task.cost
            if together and (len(together) >= most or cost > _TOGETHER_COST or entry.attempts):
                break
            self.schedule.begin(entry)
            together.append(entry)
            if entry.attempts:
                break
        return together

    def _look(self) -> None:
        self._held = self._observer.look()
        for entry in self._in_hand():
            if (lease := self._held.get(entry.task.key)) is not None:
                entry.done_seconds = min(lease.seconds, entry.task.seconds)
            elif (self._folder.results / entry.task.key).is_dir():
                entry.done_seconds = entry.task.seconds
        self._tell("finishing" if self._asked() else "working")

    def _is_there(self, entry: Entry) -> bool:
        return self._folder.has(entry.task.key)

    def _note_all(self, together: Sequence[Entry], ended: Sequence[Ended], node: str) -> None:
        if ended and ended[0].outcome == "lost":  # with the first that left nothing; what is before it is there
            there = [self._is_there(entry) for entry in together]
            together = [*compress(together, there), *compress(together, map(not_, there))]
            ended = [*[Ended("done")] * sum(there), ended[0]]
        for entry, how in zip(together, ended, strict=False):
            self._note(entry, how, node)
        for entry in together[len(ended) :]:
            self.schedule.give_back(entry)

    def _note(self, entry: Entry, ended: Ended, node: str) -> None:
        key = entry.task.key
        if ended.outcome == "done" or self._is_there(entry):  # it may have died just behind its result
            self._finish(entry)
        elif ended.outcome == "fatal":
            raise _fatal(ended, node)
        elif ended.outcome == "held":
            self.schedule.give_back(entry)
        else:
            self.schedule.note(entry, Attempt(ended.outcome, ended.reason, node), time.monotonic())
            self._write(key, entry)

    def _write(self, key: str, entry: Entry) -> None:
        try:
            self._folder.write_attempts(key, Attempts(entry.task.recording, entry.attempts))
        except OSError as error:
            raise OutputError(f"{self._folder.attempts} cannot be written: {error.strerror}") from error

    def _finish(self, entry: Entry) -> list[Entry]:
        self.schedule.finish(entry)
        following = self._work.after(entry.task, self._folder.result(entry.task.key))
        return self.schedule.add(following, self._attempts, time.monotonic())

    def _tell(self, phase: Phase, problem: str = "") -> Standing:
        standing = self._standing(phase, problem)
        try:
            self._folder.tell(standing)
        except OSError as error:
            if phase != "failed":  # else what went wrong first is what the user must know
                raise OutputError(f"{self._folder.directory} cannot be written: {error.strerror}") from error
        self._show(standing)
        return standing

    def _standing(self, phase: Phase, problem: str) -> Standing:
        entries = list(self.schedule)
        bad = bad_of(self.schedule, self._work.failed)
        more_seconds, more_cost = self._work.unplanned()
        lefts = [left_of(one) for one in entries if one.task.recording not in self.schedule.bad]
        now = time.monotonic()
        done = sum(one.done_seconds for one in entries)
        if any(not one.task.first for one in self._in_hand()):
            self._pace.note(now, done_cost(entries) - self._known_done, done, len(self._running))
        recordings = {one.task.recording for one in entries} - self.schedule.bad.keys()
        return Standing(
            phase=phase,
            recordings=self._work.recordings,
            recordings_done=sum(map(self._work.is_done, recordings)),
            recordings_failed=sum(one.state == "failed" for one in bad),
            recordings_set_aside=sum(one.state == "set_aside" for one in bad),
            video_seconds=sum(one.task.seconds for one in entries) + more_seconds,
            video_seconds_done=done,
            tasks=len(entries),
            tasks_done=sum(one.state == "done" for one in entries),
            tasks_running=len(self._running),
            attempts_repeated=sum(len(one.attempts) for one in entries if one.state not in ("failed", "set_aside")),
            workers=len(self._workers),
            seconds=now - self._began,
            times_real_time=self._pace.times_real_time,
            seconds_left=self._pace.seconds_left(sum(lefts) + more_cost, max(lefts, default=0.0), len(self._workers)),
            bad=bad[:MOST_TOLD],
            problem=problem,
        )


def _fatal(ended: Ended, node: str) -> FacestreamError:
    error = FacestreamError(f"{ended.reason} (on {node})" if node else ended.reason)
    error.exit_code = ended.exit_code
    return error


def read_standing(folder: JobFolder) -> Standing | None:
    """Return how a job stood last; None: nobody has driven it yet, or its file is none of ours."""
    try:
        return msgspec.json.decode((folder.directory / STATUS).read_bytes(), type=Standing)
    except (OSError, *UNREADABLE):
        return None
