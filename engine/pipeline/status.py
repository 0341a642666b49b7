"""How a run stands: what the supervisor has heard from its workers, for the terminal and for ``stats`` messages."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from engine.contracts.links import Beat, StageBeat, StreamChanged
from engine.contracts.messages import Reason, StageStats, Stats, StreamState


@dataclass
class StreamStatus:
    """The life of one source so far."""

    name: str
    state: StreamState = "connecting"
    reason: Reason = ""
    detail: str = ""
    width_px: int = 0
    height_px: int = 0
    frames_expected: int = 0

    @property
    def is_over(self) -> bool:
        return self.state in ("ended", "failed")


@dataclass
class RunStatus:
    """What the workers have reported."""

    streams: dict[str, StreamStatus] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    """Monotonic seconds; 0 while the run goes on."""
    _beats: dict[str, Beat] = field(default_factory=dict)
    _last_stats: tuple[float, dict[str, StageBeat]] = (0.0, {})

    @property
    def seconds(self) -> float:
        """From all workers ready to now, or to the end of the last one."""
        return (self.ended or time.monotonic()) - self.started

    @property
    def counters(self) -> dict[str, int]:
        """Totals over all workers; the publisher's own final beat already holds them all."""
        final = self._beats.get("publish")
        if final is not None and final.finished:
            return dict(final.counters)
        total: Counter[str] = Counter()
        for beat in self._beats.values():
            total.update(beat.counters)
        return dict(total)

    def frames_of(self, stream: str) -> int:
        """Frames decoded of one stream."""
        return sum(beat.counters.get(f"frames.{stream}", 0) for name, beat in self._beats.items() if name.startswith("decode"))

    def take_beat(self, beat: Beat) -> None:
        """Remember a worker's newest totals."""
        self._beats[beat.worker] = beat

    def take_event(self, event: StreamChanged) -> None:
        """Remember a stream's newest state."""
        stream = self.streams.setdefault(event.stream, StreamStatus(event.stream))
        stream.state, stream.reason, stream.detail = event.state, event.reason, event.detail
        stream.width_px = event.width_px or stream.width_px
        stream.height_px = event.height_px or stream.height_px
        stream.frames_expected = event.frames_expected or stream.frames_expected

    def stages(self) -> dict[str, StageBeat]:
        """Each stage over all the workers that run it, since the start; the slowest worker's percentiles stand for all."""
        merged: dict[str, StageBeat] = {}
        for beat in self._beats.values():
            for name, stage in beat.stages.items():
                other = merged.get(name)
                merged[name] = stage if other is None else _add(stage, other)
        return merged

    def stats(self) -> Stats:
        """Return the ``stats`` message: rates are since the one before."""
        now, stages = self.seconds, self.stages()
        then, before = self._last_stats
        self._last_stats = (now, stages)
        seconds = max(now - then, 1e-3)
        return Stats(
            run_id="",
            stream="",
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
            counters=self.counters,
        )


def _add(a: StageBeat, b: StageBeat) -> StageBeat:
    return StageBeat(
        a.items + b.items,
        a.busy_seconds + b.busy_seconds,
        max(a.p50_ms, b.p50_ms),
        max(a.p99_ms, b.p99_ms),
        a.queue_depth + b.queue_depth,
    )
