"""Shows a run to an observer, as a terminal or a log, that may be slow or stand still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from engine.pipeline.status import RunStatus

Observer = Callable[[RunStatus], None]
"""Is given copies of the run's status, always from the same thread, which is not the one that watches the workers."""

_LOOK_SECONDS = 0.2
"""Between two: workers beat twice a second, and each look costs the thread that watches them a copy of the status."""
_LAST_LOOK_SECONDS = 1.0
"""How long the end of a run waits for an observer that stands still, as a terminal after Ctrl-S."""


class Observing:
    """Calls an observer in a thread of its own. Whoever offers a status never waits, and of several the newest is shown.

    Args:
        observer: what it raises is raised where the next status is offered.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._news = threading.Condition()
        self._newest: RunStatus | None = None
        self._busy = False
        self._over = False
        self._error: BaseException | None = None
        self._next_look = 0.0
        self._thread = threading.Thread(target=self._show, name="observer", daemon=True)

    def offer(self, status: RunStatus) -> None:
        """Show a status as it is now, unless the observer is still busy with an earlier one or has just seen one.

        Raises:
            BaseException: the observer raised it.
        """
        self._raise()
        now = time.monotonic()
        if now >= self._next_look and not self._busy:
            self._next_look = now + _LOOK_SECONDS
            self._put(status)

    def close(self, last: RunStatus | None) -> None:
        """Show the last status, if there is one, and end; do not wait for long.

        Raises:
            BaseException: the observer raised it.
        """
        if last is not None:
            self._put(last)
        with self._news:
            self._over = True
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join(_LAST_LOOK_SECONDS)
        self._raise()

    def _put(self, status: RunStatus) -> None:
        with self._news:
            self._newest = status.snapshot()
            self._busy = True
            self._news.notify()
        if self._thread.ident is None:
            self._thread.start()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _show(self) -> None:
        try:
            while (status := self._take()) is not None:
                self._observer(status)
        except BaseException as error:  # it belongs to the thread that runs the pipeline
            self._error = error

    def _take(self) -> RunStatus | None:
        """Wait for the next status; None when the last one has been shown."""
        with self._news:
            while self._newest is None:
                self._busy = False
                if self._over:
                    return None
                self._news.wait()
            status, self._newest = self._newest, None
            return status
