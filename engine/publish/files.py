"""Write files so that a kill or a full disk leaves nothing half-written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class Appended:
    """A file that grows by whole pieces; each is in the hands of the system when ``append`` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._end = self._file.tell()

    def append(self, piece: bytes) -> int:
        """Write a piece and return where it starts; if it does not fit, the file stays as it was.

        Raises:
            OSError: it could not be written.
        """
        start, rest = self._end, memoryview(piece)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(start)
            raise
        self._end = start + len(piece)
        return start

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_new(path: Path, content: bytes) -> None:
    """Write a file, or leave none.

    Raises:
        OSError: it could not be written.
    """
    try:
        path.write_bytes(content)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that at every moment either the old or the new one is there, also after a power cut.

    Raises:
        OSError: it could not be written; the old one is still there.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
