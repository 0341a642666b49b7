"""Counts what passes on the tap: latencies from packet to message, and changes of streams."""

from __future__ import annotations

import bisect
from collections import Counter, OrderedDict
from itertools import accumulate

from engine.contracts.messages import AnyMessage, Face, Stream

BUCKETS_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)
MOST_STREAMS = 200
OTHER = "other streams"
"""No stream can be called so: there is a space in it."""


class Buckets:
    """How many values lie below each of the bounds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_SECONDS) + 1)

    def add(self, seconds: float) -> None:
        """Count a value."""
        self._counts[bisect.bisect_left(BUCKETS_SECONDS, seconds)] += 1

    def cumulative(self) -> list[int]:
        """Return for each bound, and at last for none, how many values are at most so large."""
        return list(accumulate(self._counts))


class Seen:
    """Counts of this process since its start."""

    def __init__(self) -> None:
        self.latencies: OrderedDict[str, tuple[Buckets, float]] = OrderedDict()
        """By stream, with the sum of all values in seconds."""
        self.changes: Counter[tuple[str, str]] = Counter()
        """By state and reason, both of a fixed list."""

    def take(self, message: AnyMessage) -> None:
        """Count a message."""
        if isinstance(message, Stream):
            self.changes[message.state, message.reason] += 1
        elif isinstance(message, Face) and message.live:
            known = message.stream in self.latencies or len(self.latencies) < MOST_STREAMS
            stream, seconds = message.stream if known else OTHER, max(0.0, (message.sent_ns - message.captured_ns) / 1e9)
            buckets, total = self.latencies.get(stream, (Buckets(), 0.0))
            buckets.add(seconds)
            self.latencies[stream] = (buckets, total + seconds)
