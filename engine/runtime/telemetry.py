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


class Telemetry:
    """Counters and stage durations of one worker. Not for several threads."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._durations: dict[str, deque[float]] = {}
        self._items: Counter[str] = Counter()
        self._busy: dict[str, float] = {}
        self.queue_depths: dict[str, int] = {}
        """Items that wait for a stage now, set by whoever holds them."""
        self.counts = Counting()
        """Since the start."""

    @property
    def counters(self) -> Counter[str]:
        """Totals over all streams, as ``frames`` or ``drops.<cause>``."""
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
        self._items[name] += items
        self._busy[name] = self._busy.get(name, 0.0) + seconds
        self._durations.setdefault(name, deque(maxlen=_KEPT_DURATIONS)).append(seconds / max(items, 1))

    def drop(self, stream: str, cause: str, count: int = 1) -> None:
        """Count what a stream lost: in all by cause, and by stream over all causes."""
        self.counters[f"drops.{cause}"] += count
        self.counts.of_stream(stream, "dropped", count)

    def beat(self, *, finished: bool = False) -> Beat:
        """Return the totals, and percentiles over the newest items of each stage."""
        return Beat(self._worker, {name: self._stage_beat(name) for name in self._durations}, self.counts.now(), finished)

    def _stage_beat(self, name: str) -> StageBeat:
        ordered = np.sort(np.fromiter(self._durations[name], np.float64))
        p50_ms, p99_ms = (1000 * _quantile(ordered, share) for share in (0.5, 0.99))
        return StageBeat(self._items[name], self._busy[name], p50_ms, p99_ms, self.queue_depths.get(name, 0))


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """As ``np.quantile`` of values that are in order, which takes three times as long for those of a beat."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)
