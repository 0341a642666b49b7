"""How long tests wait for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
PATIENCE_SECONDS = 120
"""For what takes a second where nothing else runs: machines are slow and busy. Whoever measures a time waits for that time."""
_LEAST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.01, 0.25


def until(condition: Callable[[], _T], what: str = "what is waited for", seconds: float = PATIENCE_SECONDS) -> _T:
    """Wait until something holds, and return what the condition returned.

    A condition names all that is looked at afterwards: what others do in two steps can be seen between them.

    Raises:
        AssertionError: it did not within ``seconds``; ``what`` names it.
    """
    asked = time.monotonic()
    deadline = asked + seconds
    while not (found := condition()):
        now = time.monotonic()
        assert now < deadline, f"not within {seconds:g} s: {what}"
        # Leaves the processor to the others, at least half of it where to ask takes long; the deadline decides.
        time.sleep(min(max(now - asked, _LEAST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS))
        asked = time.monotonic()
    return found
