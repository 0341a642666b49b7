"""How a run stands: what the supervisor has heard from its workers, for the terminal, the log and ``stats`` messages."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field

from engine.contracts.counts import Counting, Counts, StreamCount
from engine.contracts.messages import StageStats, StreamState
from engine.contracts.streams import RunStats, StreamChanged
from engine.pipeline.events import Level, RunEvents
from engine.pipeline.stage_totals import StageTotals
from engine.pipeline.stream_status import IN_FUNNEL, StreamStatus
from engine.runtime.protocol import Beat, StageBeat

OVERLOAD = "overload.level"
"""A counter that is no total but the present value: 0 is no overload."""
_STATE_LEVELS: dict[StreamState, Level] = {"stalled": "warning", "discontinuity": "warning", "failed": "error"}


_STREAM_COUNTS: tuple[StreamCount, ...] = (
    "frames", "faces", "dropped", "reconnects", "detections", "errored", "rejected", *IN_FUNNEL
)  # fmt: skip


@dataclass
class WorkerStatus:
    """One worker process and those that had its name before."""

    name: str
    alive: bool = True
    restarts: int = 0
    pid: int = 0
    """0 where nobody told it."""


@dataclass
class RunStatus:
    """What the workers have reported."""

    streams: dict[str, StreamStatus] = field(default_factory=dict)
    """All that there were."""
    gone: frozenset[str] = frozenset()
    """Those that are not wanted any more."""
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    """Monotonic seconds; 0 while the run goes on."""
    run_id: str = ""
    workers: dict[str, WorkerStatus] = field(default_factory=dict)
    """Those that have been heard of, without those of cameras that were removed."""
    overload_level: int = 0
    """0 is no overload; see ``engine.perception.overload.LEVELS``."""
    events: RunEvents = field(default_factory=RunEvents)
    _beats: dict[str, Beat] = field(default_factory=dict)
    _totals: Counting = field(default_factory=Counting)
    """Of all beats but the publisher's last one, those of dead workers included."""
    _dead_stages: StageTotals = field(default_factory=StageTotals)
    _dead_counts: Counting = field(default_factory=Counting)
    _handed_over: Counting = field(default_factory=Counting)
    """Of those who decode and have ended, what perceive is to hand on: it dies with it."""
    _last_stats: tuple[float, dict[str, StageBeat]] = (0.0, {})
    _restarts_of_the_gone: int = 0

    @property
    def wanted(self) -> dict[str, StreamStatus]:
        """The streams that there should be, the failed ones among them."""
        return {name: stream for name, stream in self.streams.items() if name not in self.gone}

    @property
    def seconds(self) -> float:
        """From all workers ready to now, or to the end of the last one."""
        return (self.ended or time.monotonic()) - self.started

    @property
    def counters(self) -> dict[str, int]:
        """Totals over all streams by name, as ``frames`` or ``drops.<cause>``: for a program outside of the run."""
        return self.totals.totals()

    @property
    def totals(self) -> Counts:
        """Totals over all workers, also those that died; none ever goes down but the overload level."""
        totals = self._totals.now()
        final = self._beats.get("publish")
        if final is not None and final.finished:
            # It holds what all workers handed over at their end, but not what dead ones had counted.
            totals = totals.at_least(final.counts)
        if OVERLOAD in totals.run:
            totals.run[OVERLOAD] = self.overload_level
        return totals

    @property
    def restarts(self) -> int:
        return self._restarts_of_the_gone + sum(worker.restarts for worker in self.workers.values())

    def snapshot(self) -> RunStatus:
        """Return a copy that later news leaves as it is, for another thread."""
        taken = copy.copy(self)
        taken.streams = {name: stream.copy() for name, stream in self.streams.items()}
        taken.workers = {name: copy.copy(worker) for name, worker in self.workers.items()}
        taken.events = self.events.copy()
        taken._beats, taken._totals = self._beats.copy(), self._totals.copy()
        taken._dead_stages, taken._dead_counts = self._dead_stages.copy(), self._dead_counts.copy()
        taken._handed_over = self._handed_over.copy()
        return taken

    def frames_of(self, stream: str) -> int:
        """Frames decoded of one stream."""
        return self._totals.streams[stream]["frames"] if stream in self._totals.streams else 0

    def take_beat(self, beat: Beat) -> None:
        """Remember a worker's newest totals."""
        before = self._beats.get(beat.worker)
        self._beats[beat.worker] = beat
        self._see_alive(beat)
        if beat.finished:
            self._handed_over.add(beat.counts)
        if not (beat.worker == "publish" and beat.finished):
            self._add(beat, before.counts if before else Counts())
        for name, latency in beat.latencies.items():
            if (stream := self.streams.get(name)) is not None:
                stream.measure(latency)

    def take_event(self, event: StreamChanged) -> None:
        """Remember a stream's newest state."""
        stream = self.streams.setdefault(event.stream, StreamStatus(event.stream))
        was_live = stream.state == "live"
        if stream.enter(event) and not (was_live and event.state == "live"):  # with another detail: a warning has said it
            # To connect again, for a reason, is bad news; to connect at the start is none.
            level = "warning" if event.state == "connecting" and event.reason else _STATE_LEVELS.get(event.state, "info")
            self.events.add(
                level,
                "stream",
                stream=event.stream,
                state=event.state,
                reason=event.reason,
                detail=event.detail,
                width_px=event.width_px,
                height_px=event.height_px,
            )

    def worker_started(self, name: str, pid: int) -> None:
        """Remember which process has a worker's name now."""
        self.workers.setdefault(name, WorkerStatus(name)).pid = pid

    @property
    def counted_by_the_dead(self) -> Counts:
        """Sums over the last beats of workers that died and what they were to hand on, without the overload level, which is
        no sum."""
        counts = self._dead_counts.now()
        counts.run.pop(OVERLOAD, None)
        return counts

    def worker_restarted(self, name: str, reason: str = "") -> None:
        """A worker died and a new one takes its name: what it had counted stays in the sums."""
        worker = self.workers.setdefault(name, WorkerStatus(name))
        worker.alive = False
        worker.restarts += 1
        self.worker_left(name)
        if name == "perceive":
            self._dead_counts.add(self._handed_over.now())
            self._handed_over = Counting()
        self.events.add("warning", "worker_died", worker=name, reason=reason, restarts=worker.restarts, pid=worker.pid)

    def worker_left(self, name: str) -> None:
        """A worker is gone, and who has its name next counts from zero: what it had counted stays in the sums."""
        if name in self.workers:
            self.workers[name].alive = False
        if (last := self._beats.pop(name, None)) is None:
            return
        if not last.finished:  # else it has handed its counts over
            self._dead_counts.add(last.counts)
        self._dead_stages.keep(last)

    def forget_worker(self, name: str) -> None:
        """A worker has left and nobody will have its name: it is no process that is missing."""
        self.events.forget_text(name)
        if (worker := self.workers.pop(name, None)) is not None:
            self._restarts_of_the_gone += worker.restarts

    def stages(self) -> dict[str, StageBeat]:
        """Each stage over all workers since the start; latencies stand with the streams."""
        return self._dead_stages.stages(self._beats.values())

    def stats(self) -> RunStats:
        """Return the body of a ``stats`` message: rates are since the one before."""
        now, stages = self.seconds, self._dead_stages.named(self._beats.values())
        then, before = self._last_stats
        self._last_stats = (now, stages)
        seconds = max(now - then, 1e-3)
        return RunStats(
            stages={
                name: StageStats(
                    items=stage.items,
                    items_per_second=(stage.items - (before[name].items if name in before else 0)) / seconds,
                    p50_ms=stage.p50_ms,
                    p99_ms=stage.p99_ms,
                    queue_depth=stage.queue_depth,
                )
                for name, stage in stages.items()
            },
            counters=self.totals.flat(),
        )

    def _see_alive(self, beat: Beat) -> None:
        worker = self.workers.setdefault(beat.worker, WorkerStatus(beat.worker))
        if not worker.alive and worker.restarts and not beat.finished:
            self.events.add("info", "worker_restarted", worker=worker.name, restarts=worker.restarts, pid=worker.pid)
        worker.alive = not beat.finished

    def _add(self, beat: Beat, before: Counts) -> None:
        """Add to the totals what a worker counted since its last beat."""
        new = beat.counts.since(before)
        new.run.pop(OVERLOAD, None)
        self._totals.add(new)
        if (level := beat.counts.run.get(OVERLOAD)) is not None:
            self._totals.run[OVERLOAD] = level
            self._see_overload(level)
        for name in beat.counts.streams.keys() & self.streams.keys():
            stream, totals = self.streams[name], self._totals.streams[name]
            for what in beat.counts.streams[name]:
                if what in _STREAM_COUNTS and (what in new.streams[name] or not stream.is_over):
                    stream.count(what, totals[what])

    def _see_overload(self, level: int) -> None:
        if level != self.overload_level:
            grew = level > self.overload_level
            self.overload_level = level
            self.events.add("warning" if grew else "info", "overload", overload_level=level)
