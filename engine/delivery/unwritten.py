"""What could not be written, as on a full disk, in a run that goes on all the same."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.archive.writer import DirectorySink
from engine.errors import OutputError
from engine.words.numbers import count

_SAY_SECONDS = 60.0
COUNTER = "unwritten"
"""Name of the total of messages that are not in the output directory."""


class Unwritten:
    """Counts what is lost, and says so now and then. Each message is tried anew: there may be room again.

    Args:
        survives: False: the first loss ends the run.
        counters: of the worker; ``COUNTER`` is kept there.
        warn: is told in a sentence.
    """

    def __init__(self, survives: bool, counters: dict[str, int], warn: Callable[[str], None]) -> None:
        self._survives, self._counters, self._warn = survives, counters, warn
        self._next = 0.0
        self._is_lost = False

    @property
    def any(self) -> bool:
        """Whether something is missing in the directory."""
        return self._counters.get(COUNTER, 0) > 0

    def guard(self, sink: DirectorySink, work: Callable[[], None]) -> None:
        """Write; where that fails, let the directory vouch for nothing more.

        Raises:
            OutputError: it fails, and the run does not survive that.
        """
        try:
            work()
        except OutputError as error:
            if not self._survives:
                raise
            sink.note_loss()
            self._note(error)
        else:
            if self._is_lost:
                self._is_lost = False
                missing = count(self._counters[COUNTER], "message")
                self._warn(f"the output directory {sink.directory} can be written again; {missing} missing")

    def _note(self, error: OutputError) -> None:
        self._counters[COUNTER] = self._counters.get(COUNTER, 0) + 1
        if not self._is_lost or time.monotonic() >= self._next:
            self._next = time.monotonic() + _SAY_SECONDS
            self._warn(f"{error}: what cannot be written there is lost; everything else goes on")
        self._is_lost = True
