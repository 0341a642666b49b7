"""Ends this process with a sentence when the head of its cluster is gone: Ray would end it a little later, without one."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SILENT_SECONDS = 45.0
"""Of one question to Ray, which answers in milliseconds; it gives up after 60."""
_LOOK_SECONDS = 1.0
_SHOW_CURSOR = "\x1b[?25h"
_SENTENCE = "facestream: the head of the Ray cluster does not answer: start the cluster again; the same command goes on\n"


class HeadWatch:
    """Watches questions to Ray from a thread: who asks cannot be interrupted."""

    def __init__(self) -> None:
        self._since: float | None = None
        threading.Thread(target=self._watch, name="head watch", daemon=True).start()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ray is asked something in the block."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            since = self._since
            if since is not None and time.monotonic() - since > _SILENT_SECONDS:
                sys.stderr.write((_SHOW_CURSOR if sys.stderr.isatty() else "") + _SENTENCE)
                sys.stderr.flush()
                os._exit(1)
