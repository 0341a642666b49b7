"""What the web process says on its standard error: one line a minute for each cause, and never a wait for whoever reads it."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_SECONDS, _MOST_CAUSES, _MOST_LINES = 60.0, 256, 256


class Report:
    """Lines of the log.

    Args:
        write: is given each line, in a thread of its own, so that a full pipe stops nobody.
        now: monotonic seconds.
    """

    def __init__(self, write: Callable[[str], object] | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._write, self._now = write or _to_stderr, now
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lines: queue.Queue[str] = queue.Queue(_MOST_LINES)
        self._thread: threading.Thread | None = None

    def say(self, cause: str, sentence: str) -> None:
        """Write a line, or count it where one of this cause was written less than a minute ago."""
        now = self._now()
        last, held = self._said.get(cause, (-_SECONDS, 0))
        if now - last < _SECONDS:
            self._said[cause] = (last, held + 1)
            return
        self._said[cause] = (now, 0)
        self._said.move_to_end(cause)
        while len(self._said) > _MOST_CAUSES:
            self._said.popitem(last=False)
        self.tell(sentence + (f" ({held} more like it since)" if held else ""))

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
