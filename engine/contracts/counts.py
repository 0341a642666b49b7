"""What a run counts: in all, and apart from that for each stream, so that no name of a stream can be taken for a cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Literal

import msgspec

StreamCount = Literal[
    "frames", "faces", "tracks", "dropped", "errored", "rejected", "reconnects", "packets", "bytes", "corrupt_packets",
    "corrupt_frames", "detections",
]  # fmt: skip
"""What is counted for each stream."""


class Calls(msgspec.Struct, frozen=True, array_like=True):
    """How often a model was called for a stream."""

    total: int = 0
    failed: int = 0
    error: str = ""
    """What the first failure said."""

    @property
    def verdict(self) -> str:
        """What is wrong where no call worked; empty otherwise."""
        if self.total == 0 or self.failed < self.total:
            return ""
        return f"{self.error} (none of {self.total} calls worked)"

    def __add__(self, other: Calls) -> Calls:
        return Calls(self.total + other.total, self.failed + other.failed, self.error or other.error)


class Counts(msgspec.Struct, frozen=True, array_like=True):
    """Totals at one moment."""

    run: dict[str, int] = {}
    """Over all streams, as ``frames`` or ``drops.<cause>``."""
    streams: dict[str, dict[StreamCount, int]] = {}
    """By stream."""

    def flat(self) -> dict[str, int]:
        """Return all of them under one name each, those of a stream as ``frames.<stream>``: for ``stats`` and ``run.json``.

        Where that is the name of a total, as of a stream ``offered``, it is ``faces:offered``: no stream has a colon in its
        name. Read from here nothing that ``run`` and ``streams`` tell.
        """
        found = dict(self.run)
        for stream, counts in self.streams.items():
            for what, count in counts.items():
                found[f"{what}:{stream}" if f"{what}.{stream}" in self.run else f"{what}.{stream}"] = count
        return found


class Counting:
    """Totals that grow. Not for several threads."""

    def __init__(self) -> None:
        self.run: Counter[str] = Counter()
        self.streams: defaultdict[str, Counter[StreamCount]] = defaultdict(Counter)

    def of_stream(self, stream: str, what: StreamCount, count: int = 1) -> None:
        """Count for a stream alone."""
        self.streams[stream][what] += count

    def everywhere(self, stream: str, what: StreamCount, count: int = 1) -> None:
        """Count for a stream and, under the same name, in all."""
        self.run[what] += count
        self.streams[stream][what] += count

    def add(self, counts: Counts) -> None:
        """Add what another has counted."""
        self.run.update(counts.run)
        for stream, of_stream in counts.streams.items():
            self.streams[stream].update(of_stream)

    def now(self) -> Counts:
        """Return the totals as they are."""
        return Counts(dict(self.run), {stream: dict(counts) for stream, counts in self.streams.items()})

    def copy(self) -> Counting:
        """Return one that later counts leave as it is."""
        other = Counting()
        other.run = self.run.copy()
        other.streams.update((stream, counts.copy()) for stream, counts in self.streams.items())
        return other
