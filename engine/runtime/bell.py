"""Wakes a thread that polls sockets."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock


class Bell:
    """Rung by any thread, also by one that comes too late: a descriptor that is closed may be somebody else's by then."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_closed = True
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._is_closed = False

    def fileno(self) -> int:
        """What is polled."""
        return self._descriptor

    def ring(self) -> None:
        """Wake who polls; nobody does after ``close``."""
        with self._lock:
            if not self._is_closed:
                os.eventfd_write(self._descriptor, 1)

    def hush(self) -> None:
        """It was heard; for the thread that polls."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._descriptor)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Ring no more."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                os.close(self._descriptor)
