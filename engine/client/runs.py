"""The runs that a subscriber hears: one after another or, through a proxy of ZeroMQ, several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.client.age import AgeLimit
from engine.client.received import Gap
from engine.client.sequence import Position, Sequence
from engine.client.skipped import Skipped
from engine.contracts.messages import AnyMessage, Face

_REFILL_BURST = 1024
"""Faces of cameras that may be refilled at once; each message that comes by itself allows one more."""
_MOST_RUNS = 64
"""A run that is killed never says that it is over: the one that has been silent for longest is forgotten."""


@dataclass
class HeardRun:
    """What is known of one run."""

    run_id: str
    sequence: Sequence
    age: AgeLimit | None
    """None: nothing is too old. Each publisher has a clock of its own."""
    skipped: Skipped = field(init=False)
    may_refill: int = field(init=False)
    """Faces of a camera that may be refilled now."""
    is_live: bool = False
    is_over: bool = False

    def __post_init__(self) -> None:
        self.skipped, self.may_refill = Skipped(self.run_id), _REFILL_BURST

    def note_own(self) -> None:
        """A message has come by itself."""
        self.may_refill = min(self.may_refill + 1, _REFILL_BURST)

    def is_stale(self, message: AnyMessage, waited: bool) -> bool:
        """Return whether a message is too old now, see ``AgeLimit``."""
        if self.age is None or not isinstance(message, Face) or not message.live:
            return False
        return self.age.is_stale(message.sent_ns, time.time_ns(), waited)


class HeardRuns:
    """Knows what has come of each run.

    Args:
        from_start: what any run sent before the first message heard of it counts as missed. Else this holds only for a run that
            follows another: whoever was there before it began has missed what did not come.
        resume: where an earlier subscriber came to; what was sent since then counts as missed.
        age: gives a limit for a run.
    """

    def __init__(self, from_start: bool, resume: Position | None, age: Callable[[], AgeLimit | None]) -> None:
        self._from_start = from_start or resume is not None
        self._age = age
        self._runs: dict[str, HeardRun] = {}
        self.newest = ""
        """Of what was heard last; empty before."""
        if resume is not None and resume.run_id:
            self.newest = resume.run_id
            self._runs[resume.run_id] = HeardRun(resume.run_id, Sequence(True, resume.next_seq), age())

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def heard(self, run_id: str) -> HeardRun:
        """Return a run that has begun, as that of the message that is there now."""
        self._runs[run_id] = run = self._runs.pop(run_id)
        self.newest = run_id
        return run

    def begin(self, run_id: str, follows: bool) -> Iterator[Gap]:
        """Begin with a run, and yield gaps for what was left out of the others: of one that was cut nothing else would tell.

        Args:
            run_id: its.
            follows: the connection was made anew since the last one began. Else it may go on beside those that have not said
                their last word, and have begun long before.
        """
        for run in self._runs.values():
            yield from run.skipped.all()
        is_next = bool(self._runs) and (follows or all(run.is_over for run in self._runs.values()))
        if len(self._runs) >= _MOST_RUNS:
            del self._runs[next(iter(self._runs))]
        self._runs[run_id] = HeardRun(run_id, Sequence(self._from_start or is_next), self._age())
