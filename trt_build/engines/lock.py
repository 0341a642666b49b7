"""One builder for each engine, over all processes."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(engine: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of an engine inside the block; the lock of a process that died is free.

    Args:
        engine: the file; its folder exists. The lock is a file beside it that stays.
        waiting: called once when another process holds it.

    Raises:
        OSError: the lock cannot be made.
    """
    with engine.with_name(f".{engine.name}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
