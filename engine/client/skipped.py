"""Faces that a subscriber left out as they were too old."""

from __future__ import annotations

from collections.abc import Iterator

from engine.client.received import Gap
from engine.contracts.messages import AnyMessage


class Skipped:
    """Holds what was left out of each stream of a run until the next message of it tells that as one gap."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._by_stream: dict[str, tuple[int, int, int]] = {}

    def add(self, message: AnyMessage, missing: range) -> None:
        """Leave out a face, and what was lost just before it."""
        first, _, stale = self._by_stream.get(message.stream, (missing.start, 0, 0))
        self._by_stream[message.stream] = (first, message.seq + 1, stale + 1)

    def gap(self, stream: str, kind: str, numbers: range) -> Iterator[Gap]:
        """Yield a gap for ``numbers`` and the faces that were left out just before them, if there are any of either."""
        first, stale = numbers.start, 0
        if kind == "face" and stream in self._by_stream:
            first, _, stale = self._by_stream.pop(stream)
        if first < numbers.stop:
            yield Gap(stream, kind, first, numbers.stop - 1, stale, self._run_id)

    def all(self) -> Iterator[Gap]:
        """Yield a gap for each stream of which faces were left out."""
        for stream, (_, stop, _) in list(self._by_stream.items()):
            yield from self.gap(stream, "face", range(stop, stop))
