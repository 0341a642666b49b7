"""A file that is whole or not there, whatever happens while it is written."""

from __future__ import annotations

import glob
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BESIDE = "unfinished-"
"""What the names begin with, behind a dot, of files that are about to replace others."""


def left_by_a_kill(path: Path) -> list[Path]:
    """Return the files that were to replace one while processes were killed: nobody may be writing it now."""
    return sorted(path.parent.glob(f".{_BESIDE}*.{glob.escape(path.name)}"))


def sync_directory(directory: Path) -> None:
    """Wait until the directory's entries would survive a power cut.

    Raises:
        OSError: they could not be written.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """Give a file to write in the place of another one; it takes that one's place at the end of the block, all at once.

    Where the block fails, what was there stays as it was, and nothing else is left.

    Args:
        path: in a folder that exists.
        beside: the file to write, in the same folder; by default one of the same ending that nobody else writes.

    Raises:
        OSError: it cannot take its place.
    """
    unfinished = beside or path.with_name(f".{_BESIDE}{os.getpid()}-{threading.get_ident()}.{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):  # the failure before is the one to tell
            unfinished.unlink()
        raise
