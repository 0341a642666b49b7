"""An archive on a cluster, simulated: the product's own schedule hands out tasks; workers, nodes and the driver die."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.jobs.archive import SEGMENT_SECONDS
from engine.jobs.attempts import Attempt
from engine.jobs.lease import EXPIRES_SECONDS
from engine.jobs.scan import Key, Scan
from engine.jobs.schedule import Entry, Schedule
from engine.jobs.segments import segments_of
from engine.jobs.task import Task
from tests.bench.fleet.events import Clock
from tests.bench.fleet.measured import Kind, Measured, Scene

HOUR = 3600.0


@dataclass(frozen=True)
class Cluster:
    """What the archive is worked on with. All that is no measurement here is an assumption, and stands in the table's title."""

    hours: float = 5000.0
    mean_recording_seconds: float = 1800.0
    """Lengths are exponential, at least a minute."""
    segment_seconds: float = SEGMENT_SECONDS
    nodes: int = 16
    cores: int = 16
    """Of a node, each with a worker."""
    core_share: float = 1.0
    """Of a core's speed that a worker has when all cores of a node work; measured, see ``contention``."""
    worker_hours: float = 100.0
    """Mean time between deaths of a worker."""
    node_hours: float = 50.0
    """Mean time between deaths of a node; its repair takes ``repair_seconds``."""
    repair_seconds: float = 1800.0
    driver_restarts_seconds: tuple[float, ...] = (2 * HOUR,)
    driver_away_seconds: float = 60.0


@dataclass
class Made:
    """What came of it."""

    makespan_hours: float = 0.0
    utilisation: float = 0.0
    """Of the workers' time, while there was a job, that went into results."""
    wasted_core_hours: float = 0.0
    """Work that was begun and did not become a result."""
    useful_core_hours: float = 0.0
    repeated: int = 0
    worker_deaths: int = 0
    node_deaths: int = 0
    tasks: int = 0
    recordings: int = 0
    set_aside: int = 0
    timeline: list[tuple[float, int, float]] = field(default_factory=list)
    """(hours, busy workers, share done)."""


@dataclass
class Worker:
    """One core of a node."""

    node: int
    busy: Entry | None = None
    begun: float = 0.0
    lives: int = 0
    """Grows with each death: what was planned for an earlier life does not happen."""
    is_up: bool = True


class Archive:
    """One simulated job.

    Args:
        measured: what a frame and a face cost.
        kind: of all recordings.
        cluster: what there is.
        seed: of everything random.
    """

    def __init__(self, measured: Measured, kind: Kind, cluster: Cluster, seed: int) -> None:
        self._measured, self._kind, self._cluster = measured, kind, cluster
        self._random, self._clock, self._schedule = random.Random(seed), Clock(), Schedule()
        self._seconds: dict[str, float] = {}
        self._workers = [Worker(node) for node in range(cluster.nodes) for _ in range(cluster.cores)]
        self._driver_up = True
        self.made = Made()
        self._left = self._known = 0
        """Tasks that are not done; those that the schedule knows and nobody has."""
        self._backlog: list[list[Task]] = []
        """Recordings that the schedule does not know yet, the largest last: it takes the largest first, and gets to know as
        many as it can hand out, since each of its choices looks at all that it knows."""

    def run(self) -> Made:
        """Let it all happen."""
        recordings = [list(self._tasks(number, seconds)) for number, seconds in enumerate(self._lengths())]
        self._backlog = sorted(recordings, key=lambda tasks: sum(task.cost for task in tasks))
        self.made.tasks = self._left = sum(map(len, recordings))
        for worker in self._workers:
            self._plan_death(worker)
        for node in range(self._cluster.nodes):
            self._plan_node_death(node)
        for seconds in self._cluster.driver_restarts_seconds:
            self._clock.after(seconds, self._driver_dies)
        self._hand_out()
        self._sample()
        while self._left and (self._backlog or not self._schedule.is_over):
            self._clock.run(self._clock.now + 600.0)
        self._account()
        return self.made

    def _lengths(self) -> Iterator[float]:
        left = self._cluster.hours * HOUR
        while left > 0:
            seconds = min(left, max(60.0, self._random.expovariate(1 / self._cluster.mean_recording_seconds)))
            left -= seconds
            yield seconds

    def _tasks(self, number: int, seconds: float) -> Iterator[Task]:
        """Cut a recording as the product does, one key frame each two seconds; draw what each segment costs."""
        self.made.recordings += 1
        fps, gop = self._kind.fps, 2 * self._kind.fps
        frames = round(seconds * fps)
        keys = [Key(index, index - 1, index, index / fps, 0, 0.0) for index in range(0, frames, gop)]
        scene = self._random.choice(self._measured.scenes["recording"])
        for place, segment in enumerate(segments_of(Scan(frames, seconds, keys), self._cluster.segment_seconds)):
            task = Task(f"r{number}s{place}", f"r{number}", "", b"", segment.frames / fps, float(segment.frames))
            self._seconds[task.key] = self._core_seconds(segment.frames, scene) / self._cluster.core_share
            yield task

    def _core_seconds(self, frames: int, scene: Scene) -> float:
        """Draw what so many frames of a scene cost one core alone: each sum is of so many draws, as normal as sums are."""
        seconds = frames / self._kind.fps
        total = frames * scene.follow_seconds
        rates = scene.faces / scene.seconds, scene.tracks / scene.seconds
        counts = [frames, frames, *(self._poisson(rate * seconds) for rate in rates)]
        costs = self._kind.decode_seconds, self._kind.detect_seconds, self._measured.face_seconds, self._measured.track_seconds
        for items, each in zip(counts, costs, strict=True):
            mean = sum(each) / len(each)
            variance = sum((one - mean) ** 2 for one in each) / len(each)
            total += max(0.0, self._random.gauss(items * mean, (items * variance) ** 0.5))
        return total

    def _poisson(self, mean: float) -> int:
        return max(0, round(self._random.gauss(mean, mean**0.5)))

    def _hand_out(self) -> None:
        if not self._driver_up:
            return
        while self._backlog and self._known < len(self._workers):
            tasks = self._backlog.pop()
            self._schedule.add(tasks, {})
            self._known += len(tasks)
        for worker in self._workers:
            if worker.is_up and worker.busy is None:
                entry = self._schedule.next(self._clock.now)
                if entry is None:
                    break
                self._begin(worker, entry)

    def _begin(self, worker: Worker, entry: Entry) -> None:
        self._schedule.begin(entry)
        self._known -= 1
        worker.busy, worker.begun, life = entry, self._clock.now, worker.lives
        self._clock.after(self._seconds[entry.task.key], lambda: self._done(worker, life))

    def _done(self, worker: Worker, life: int) -> None:
        if worker.lives != life or worker.busy is None:
            return
        self._schedule.finish(worker.busy)
        self.made.useful_core_hours += self._seconds[worker.busy.task.key] / HOUR
        self._left -= 1
        self.made.makespan_hours = self._clock.now / HOUR
        worker.busy = None
        self._hand_out()

    def _note(self, entry: Entry) -> None:
        """The driver hears that whoever had a task is gone."""
        self._schedule.note(entry, Attempt("lost", "its worker was lost"), self._clock.now)
        self._known += entry.state == "waiting"
        self._left -= entry.state != "waiting"
        self.made.repeated += 1
        self._clock.after(max(0.0, entry.not_before - self._clock.now), self._hand_out)

    def _plan_death(self, worker: Worker) -> None:
        self._clock.after(self._random.expovariate(1 / (self._cluster.worker_hours * HOUR)), lambda: self._dies(worker))

    def _dies(self, worker: Worker) -> None:
        """One process dies of what is beside its task; another takes its place as soon as its models are open."""
        self._plan_death(worker)
        if worker.is_up:
            self.made.worker_deaths += 1
            self._lose(worker, 0.0)
            self._back(worker, self._measured.open_seconds)

    def _plan_node_death(self, node: int) -> None:
        self._clock.after(self._random.expovariate(1 / (self._cluster.node_hours * HOUR)), lambda: self._node_dies(node))

    def _node_dies(self, node: int) -> None:
        self._plan_node_death(node)
        self.made.node_deaths += 1
        for worker in self._workers:
            if worker.node == node and worker.is_up:
                self._lose(worker, EXPIRES_SECONDS)
                self._back(worker, self._cluster.repair_seconds)

    def _lose(self, worker: Worker, noticed_seconds: float) -> None:
        entry, worker.busy, worker.is_up = worker.busy, None, False
        worker.lives += 1
        if entry is not None:
            self.made.wasted_core_hours += (self._clock.now - worker.begun) / HOUR
            self._clock.after(noticed_seconds, lambda: self._note(entry))

    def _back(self, worker: Worker, seconds: float) -> None:
        def up() -> None:
            worker.is_up = True
            self._hand_out()

        self._clock.after(seconds, up)

    def _driver_dies(self) -> None:
        """Workers end with their driver; the next one finds what was done, and waits for the leases of what was not."""
        self._driver_up = False
        for worker in self._workers:
            if worker.busy is not None:
                self.made.wasted_core_hours += (self._clock.now - worker.begun) / HOUR
                self.made.repeated += 1
                self._schedule.give_back(worker.busy)
                self._known += 1
                worker.busy = None
            worker.lives += 1

        def back() -> None:
            self._driver_up = True
            self._hand_out()

        away = max(self._cluster.driver_away_seconds, EXPIRES_SECONDS) + self._measured.open_seconds
        self._clock.after(away, back)

    def _sample(self) -> None:
        busy = sum(worker.busy is not None for worker in self._workers)
        self.made.timeline.append((self._clock.now / HOUR, busy, 1 - self._left / max(1, self.made.tasks)))
        if self._left:
            self._clock.after(300.0, self._sample)

    def _account(self) -> None:
        made = self.made
        made.utilisation = made.useful_core_hours / (made.makespan_hours * len(self._workers))
        made.set_aside = sum(entry.state == "set_aside" for entry in self._schedule)
