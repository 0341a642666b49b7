"""Deadlines of requests: until when their callers wait."""

from __future__ import annotations

import time

from engine.control.verbs import Request
from engine.service.refusal import Refusal

USUAL_SECONDS = 30.0
"""Where the asker does not say."""
LONGEST_SECONDS = 600.0


def seconds_left(request: Request) -> float:
    """Return how long the asker still waits; not more than 0: no longer."""
    if not request.deadline_ns:
        return USUAL_SECONDS
    return min((request.deadline_ns - time.time_ns()) / 1e9, LONGEST_SECONDS)


def check_deadline(request: Request) -> None:
    """Refuse what nobody waits for any more.

    Raises:
        Refusal: the deadline has passed.
    """
    if seconds_left(request) <= 0:
        raise Refusal("deadline", "it was not done in time, so it was not done at all: ask again")
