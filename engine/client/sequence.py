"""See from the numbers of messages which ones are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.contracts.messages import AnyMessage, End, kind_of

Series = tuple[str, str]
"""Stream and kind."""


@dataclass(frozen=True)
class Position:
    """How far a reader has come in a run."""

    run_id: str
    next_seq: Mapping[Series, int] = field(default_factory=dict)
    """The number that comes next in each series; those that are not named begin at 0."""


class Sequence:
    """The next number to expect of each stream and kind of one run."""

    def __init__(self, from_start: bool, next_seq: Mapping[Series, int] | None = None) -> None:
        """Expect each series from where ``next_seq`` says, or from 0 if ``from_start``, else from its first message."""
        self._from_start = from_start
        self._next = dict(next_seq or {})

    def arrived(self, message: AnyMessage) -> range | None:
        """Note a message; return the numbers missing before it, None if it had come already."""
        key = (message.stream, kind_of(message))
        expected = self._next.get(key, 0 if self._from_start else message.seq)
        if message.seq < expected:
            return None
        self._next[key] = message.seq + 1
        return range(expected, message.seq)

    def missing_at_end(self, end: End) -> list[tuple[str, str, range]]:
        """Return stream, kind and numbers of what was sent after the last message that was seen of each series."""
        missing = []
        for name, last in sorted(end.last_seq.items()):
            kind, _, stream = name.partition("/")
            expected = self._next.get((stream, kind), 0 if self._from_start else last + 1)
            if expected <= last:
                missing.append((stream, kind, range(expected, last + 1)))
                self._next[stream, kind] = last + 1
        return missing
