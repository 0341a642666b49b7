"""Only one process builds an engine at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(engine: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of an engine within the block; the lock of a process that died is released.

    Args:
        engine: the file; its folder exists. The lock is a file beside it, which stays.
        waiting: called once if another process holds the lock.

    Raises:
        OSError: the lock cannot be created.
    """
    with engine.with_name(f".{engine.name}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
