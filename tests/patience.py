"""How long tests wait for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
PATIENCE_SECONDS = 120
"""For what takes a second where nothing else runs: machines are slow and busy. Whoever measures a time waits for that time."""


def until(condition: Callable[[], _T], what: str = "what is waited for", seconds: float = PATIENCE_SECONDS) -> _T:
    """Wait until something holds, and return what the condition returned.

    A condition names all that is looked at afterwards: what others do in two steps can be seen between them.

    Raises:
        AssertionError: it did not within ``seconds``; ``what`` names it.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)  # leaves the processor to the others; the deadline decides
    return found
