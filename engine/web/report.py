"""What the web process says on its standard error: one line a minute for each cause, and never a wait for whoever reads it."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable

from engine.words.seldom import Seldom

_MOST_LINES = 256


class Report:
    """Lines of the log.

    Args:
        write: is given each line, in a thread of its own, so that a full pipe stops nobody.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or _to_stderr
        self._seldom = Seldom(self.tell)
        self._lines: queue.Queue[str] = queue.Queue(_MOST_LINES)
        self._thread: threading.Thread | None = None

    def say(self, cause: str, sentence: str) -> None:
        """Write a line, or count it where one of this cause was written less than a minute ago."""
        self._seldom.say(cause, sentence)

    def tell(self, sentence: str) -> None:
        """Write a line in any case; what does not fit is left out."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="web-report", daemon=True)
            self._thread.start()
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait("".join(letter if letter.isprintable() else "?" for letter in sentence))

    def _run(self) -> None:
        while True:
            line = self._lines.get()
            with contextlib.suppress(OSError, ValueError):
                self._write(line)


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"web: {line}\n")
    sys.stderr.flush()
