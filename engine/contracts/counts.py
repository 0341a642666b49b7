"""What a run counts: in all, and apart from that for each stream, so that no name of a stream can be taken for a cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

StreamCount = Literal[
    "frames", "faces", "tracks", "dropped", "errored", "rejected", "reconnects", "packets", "bytes", "corrupt_packets",
    "corrupt_frames", "detections", "main_faces", "sub_faces",
    "found", "unconfirmed", "too_small", "outranked", "blurred", "late", "enhanced", "passed_through",
]  # fmt: skip
"""What is counted for each stream. ``main_faces`` and ``sub_faces``: of a camera with two streams, from which of them the faces
that went on were cut; those of the last line, and ``detections``, are of the ``Funnel``."""
MainMiss = Literal["away", "late", "behind", "no_slot", "unlike"]
"""Why there was no picture of a camera's main stream for a moment: it was not connected; the moment's picture did not come in
time; it could not be decoded in time, or was damaged; there was no room for it; it shows something else than the sub-stream."""
Name = TypeVar("Name", bound=str)
Cause = TypeVar("Cause", bound=str)


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


def named(
    run: Mapping[Name, int], drops: Mapping[Cause, int] | None = None, errors: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Return totals under one name each, as ``frames``, ``drops.<cause>`` and ``errors.<stage>``: for those who read them
    outside of a run. Nothing inside takes such a name apart.
    """
    found = dict[str, int](run.items())
    found.update((f"drops.{cause}", count) for cause, count in (drops or {}).items())
    found.update((f"errors.{stage}", count) for stage, count in (errors or {}).items())
    return found


class Counts(msgspec.Struct, frozen=True, array_like=True):
    """Totals at one moment."""

    run: dict[str, int] = {}
    """Over all streams, as ``frames`` or ``faces.offered``."""
    streams: dict[str, dict[StreamCount, int]] = {}
    """By stream."""
    drops: dict[str, int] = {}
    """Frames and faces that were dropped, over all streams, by cause."""
    errors: dict[str, int] = {}
    """Calls of models that failed, and readings of the gallery, over all streams, by stage."""

    def totals(self) -> dict[str, int]:
        """Return those over all streams, as ``named`` names them."""
        return named(self.run, self.drops, self.errors)

    def flat(self) -> dict[str, int]:
        """Return all of them under one name each, those of a stream as ``frames.<stream>``: for ``stats`` and ``run.json``.

        Where that is the name of a total, as of a stream ``offered``, it is ``faces:offered``: no stream has a colon in its
        name. Read from here nothing that the fields tell.
        """
        totals = self.totals()
        found = dict(totals)
        for stream, counts in self.streams.items():
            for what, count in counts.items():
                found[f"{what}:{stream}" if f"{what}.{stream}" in totals else f"{what}.{stream}"] = count
        return found

    def since(self, before: Counts) -> Counts:
        """Return what was counted from ``before`` to this, without what has not grown."""
        return Counts(
            _grown(self.run, before.run),
            {name: _grown(counts, before.streams.get(name, {})) for name, counts in self.streams.items()},
            _grown(self.drops, before.drops),
            _grown(self.errors, before.errors),
        )

    def at_least(self, other: Counts) -> Counts:
        """Return the higher of both for each of them."""
        streams = {name: _higher(counts, other.streams.get(name, {})) for name, counts in self.streams.items()}
        return Counts(
            _higher(self.run, other.run),
            {**other.streams, **streams},
            _higher(self.drops, other.drops),
            _higher(self.errors, other.errors),
        )


class Counting:
    """Totals that grow. Not for several threads."""

    def __init__(self) -> None:
        self.run: Counter[str] = Counter()
        self.streams: defaultdict[str, Counter[StreamCount]] = defaultdict(Counter)
        self.drops: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

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
        self.drops.update(counts.drops)
        self.errors.update(counts.errors)
        for stream, of_stream in counts.streams.items():
            self.streams[stream].update(of_stream)

    def now(self) -> Counts:
        """Return the totals as they are."""
        streams = {stream: dict(counts) for stream, counts in self.streams.items()}
        return Counts(dict(self.run), streams, dict(self.drops), dict(self.errors))

    def copy(self) -> Counting:
        """Return one that later counts leave as it is."""
        other = Counting()
        other.run, other.drops, other.errors = self.run.copy(), self.drops.copy(), self.errors.copy()
        other.streams.update((stream, counts.copy()) for stream, counts in self.streams.items())
        return other


def _grown(now: Mapping[Name, int], before: Mapping[Name, int]) -> dict[Name, int]:
    return {name: new for name, count in now.items() if (new := count - before.get(name, 0))}


def _higher(some: Mapping[Name, int], others: Mapping[Name, int]) -> dict[Name, int]:
    return {name: max(some.get(name, 0), others.get(name, 0)) for name in {**some, **others}}
