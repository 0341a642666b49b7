"""What waits in a buffer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from engine.bridge.names import Key
from engine.bridge.packing import Missing


class Mark(NamedTuple):
    """A place in a broker's log before which there is nothing of what waits."""

    part: str
    """Of the log, as ``TOPIC/PARTITION``."""
    offset: int


class Entry(NamedTuple):
    """What waits: a message or, with ``missing``, a gap."""

    number: int
    """Grows from entry to entry; below 0 for gaps of what gave way, which go first."""
    key: Key
    missing: Missing | Literal[""]
    body: bytes
    """Empty for a gap."""


def joined(ranges: Iterable[tuple[Key, Missing]]) -> list[tuple[Key, Missing]]:
    """Return ranges of numbers with those made one that follow each other in their series."""
    series: dict[tuple[str, str, str], list[tuple[Key, Missing]]] = {}
    for key, missing in ranges:
        known = series.setdefault(key[:3], [])
        if known and known[-1][0].last_seq + 1 == key.first_seq:
            before, reason = known[-1]
            known[-1] = (before._replace(last_seq=key.last_seq), reason if reason == missing else "buffer_full")
        else:
            known.append((key, missing))
    return [one for found in series.values() for one in found]
