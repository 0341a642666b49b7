"""Each stage, and the latency of each stream, over all workers of a run and those that had their names before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.runtime.protocol import Beat, StageBeat


class StageTotals:
    """What workers that are gone have done: their percentiles and their queues died with them."""

    def __init__(self) -> None:
        self._stages: dict[str, StageBeat] = {}
        self._latencies: dict[str, StageBeat] = {}

    def keep(self, last: Beat) -> None:
        """Keep what a worker had done when it ended."""
        for kept, gone in ((self._stages, last.stages), (self._latencies, last.latencies)):
            _merge(kept, {name: StageBeat(one.items, one.busy_seconds, 0.0, 0.0) for name, one in gone.items()})

    def copy(self) -> StageTotals:
        """Return one that later news leaves as it is."""
        other = StageTotals()
        other._stages, other._latencies = self._stages.copy(), self._latencies.copy()
        return other

    def stages(self, beats: Iterable[Beat]) -> dict[str, StageBeat]:
        """Return each stage by its name; the slowest worker's percentiles stand for all.

        Args:
            beats: the newest of each worker that lives.
        """
        stages = self._stages.copy()
        for beat in beats:
            _merge(stages, beat.stages)
        return stages

    def named(self, beats: Iterable[Beat]) -> dict[str, StageBeat]:
        """Return all under one name each, for ``stats`` alone: also each stream's latency, as ``latency.<stream>``.

        Args:
            beats: as of ``stages``.
        """
        beats, latencies = list(beats), self._latencies.copy()
        for beat in beats:
            _merge(latencies, beat.latencies)
        return self.stages(beats) | {f"latency.{stream}": latency for stream, latency in latencies.items()}


def _merge(into: dict[str, StageBeat], others: Mapping[str, StageBeat]) -> None:
    for name, other in others.items():
        one = into.get(name)
        into[name] = other if one is None else _merged(one, other)


def _merged(a: StageBeat, b: StageBeat) -> StageBeat:
    return StageBeat(
        a.items + b.items,
        a.busy_seconds + b.busy_seconds,
        max(a.p50_ms, b.p50_ms),
        max(a.p99_ms, b.p99_ms),
        a.queue_depth + b.queue_depth,
    )
