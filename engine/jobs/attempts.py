"""What becomes of a task after the attempts at it: pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.jobs.messages import Outcome
from engine.words.numbers import count

DEATHS = 2
"""So many processes may die of one task before it is taken for what they die of."""
ERRORS = 3
"""So many errors that nobody foresaw may come."""
LOSSES = 6
"""So often may what is around it be lost: its worker, its node."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0


class Attempt(msgspec.Struct, frozen=True):
    """One that did not end with a result."""

    outcome: Outcome
    reason: str
    node: str = ""
    """Where, for people."""


class Attempts(msgspec.Struct, frozen=True):
    """Those at one task."""

    recording: str
    attempts: list[Attempt]


class Verdict(msgspec.Struct, frozen=True):
    """What follows."""

    fate: Literal["again", "failed", "set_aside"]
    reason: str = ""
    """Why not again."""
    pause_seconds: float = 0.0
    """Before the next attempt."""


def judge(attempts: list[Attempt]) -> Verdict:
    """Say what becomes of a task.

    A bad recording has failed at once, as reading it again finds the same. What kills a process is tried again once, as the
    cause may have been beside it; what does so twice is set aside, so that it takes nobody else along. Each pause is twice
    the one before.

    Args:
        attempts: those that ended without a result, in their order.
    """
    if not attempts:
        return Verdict("again")
    last = attempts[-1]
    if last.outcome == "failed":
        return Verdict("failed", last.reason)
    deaths = [one for one in attempts if one.outcome == "died"]
    errors = [one for one in attempts if one.outcome == "error"]
    lost = [one for one in attempts if one.outcome == "lost"]
    if len(deaths) >= DEATHS:
        return Verdict(
            "set_aside", f"{count(len(deaths), 'process', 'processes')} died of it; the last one {deaths[-1].reason}"
        )
    if len(errors) >= ERRORS:
        return Verdict("failed", f"failed {count(len(errors), 'time')}; the last time: {errors[-1].reason}")
    if len(lost) >= LOSSES:
        return Verdict("set_aside", f"was interrupted {count(len(lost), 'time')}; the last time: {lost[-1].reason}")
    return Verdict("again", pause_seconds=pause_seconds(len(attempts)))


def pause_seconds(failures: int) -> float:
    """Return how long to wait after so many failures, 1 or more."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
