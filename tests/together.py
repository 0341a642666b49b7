"""Threads of a test that all do something at the same time."""

from __future__ import annotations

import threading
from collections.abc import Sequence


def run_together(threads: Sequence[threading.Thread]) -> None:
    """Start all, and wait for all."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
