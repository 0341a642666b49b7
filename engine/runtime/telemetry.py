"""What a worker did and how long it took, as totals and as figures since the last beat."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from engine.contracts.counts import Counting
from engine.runtime.protocol import Beat, StageBeat

_KEPT_DURATIONS = 1024


class _Durations:
    """Of one stage, or of one stream."""

    def __init__(self) -> None:
        self._items, self._busy_seconds = 0, 0.0
        self._newest: deque[float] = deque(maxlen=_KEPT_DURATIONS)

    def add(self, seconds: float, items: int) -> None:
        self._items += items
        self._busy_seconds += seconds
        self._newest.append(seconds / max(items, 1))

    def beat(self, queue_depth: int = 0) -> StageBeat:
        ordered = np.sort(np.fromiter(self._newest, np.float64))
        p50_ms, p99_ms = (1000 * _quantile(ordered, share) for share in (0.5, 0.99))
        return StageBeat(self._items, self._busy_seconds, p50_ms, p99_ms, queue_depth)


class Telemetry:
    """Counters and stage durations of one worker. Not for several threads."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._stages: dict[str, _Durations] = {}
        self._latencies: dict[str, _Durations] = {}
        self.queue_depths: dict[str, int] = {}
        """Items that wait for a stage now, set by whoever holds them."""
        self.counts = Counting()
        """Since the start."""

    @property
    def counters(self) -> Counter[str]:
        """Totals over all streams, as ``frames``."""
        return self.counts.run

    @contextmanager
    def stage(self, name: str, items: int = 1) -> Iterator[None]:
        """Measure one call of a stage that handles ``items`` items."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.record(name, time.perf_counter() - start, items)

    def record(self, name: str, seconds: float, items: int = 1) -> None:
        """Add a duration that was measured elsewhere."""
        self._stages.setdefault(name, _Durations()).add(seconds, items)

    def record_latency(self, stream: str, seconds: float) -> None:
        """Add how long a face took from the arrival of its picture: to the stage ``latency``, and to its stream."""
        self.record("latency", seconds)
        self._latencies.setdefault(stream, _Durations()).add(seconds, 1)

    def drop(self, stream: str, cause: str, count: int = 1) -> None:
        """Count what a stream lost: in all by cause, and by stream over all causes."""
        self.counts.drops[cause] += count
        self.counts.of_stream(stream, "dropped", count)

    def beat(self, *, finished: bool = False) -> Beat:
        """Return the totals, and percentiles over the newest items of each stage and of each stream."""
        stages = {name: durations.beat(self.queue_depths.get(name, 0)) for name, durations in self._stages.items()}
        latencies = {stream: durations.beat() for stream, durations in self._latencies.items()}
        return Beat(self._worker, stages, self.counts.now(), finished, latencies)


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """As ``np.quantile`` of values that are in order, which takes three times as long for those of a beat."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)
