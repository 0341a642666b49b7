"""Lines and vectors of cameras are kept for so long: what is older is emptied, and the system has its room back.

A file keeps its length, so that whatever says where a line or a row is stays true: its beginning is a hole, which reads as
zeros and takes no room. Where that ends is found by the times in the lines themselves: no restart need remember it.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from engine.archive.files import first_data, whole_lines

_LOOK_SECONDS = 600.0
_KEEP_SIZE_AND_PUNCH_HOLE = 3
_NEAR_BYTES = 1 << 16
"""So near to the wanted line it is read on from one to the next."""
_MOST_LINES = 10_000
"""Among the first lines that stay one is looked for that has a vector."""
_LINES = ("faces.jsonl", "tracks.jsonl")
_libc = ctypes.CDLL(None, use_errno=True)


class _Vector(msgspec.Struct):
    file: str
    row: int


class _Line(msgspec.Struct):
    sent_ns: int
    embedding: _Vector | None = None


class Expiry:
    """Empties what is too old in ``faces.jsonl``, ``tracks.jsonl`` and the vectors beside them.

    Args:
        directory: of the run.
        keep_seconds: age from which on a line goes, and its vector with it.
    """

    def __init__(self, directory: Path, keep_seconds: float) -> None:
        self._directory, self._keep_seconds = directory, keep_seconds
        self._next_look = 0.0
        self.freed_bytes = 0
        """Of lines and vectors that went."""

    def look(self) -> None:
        """Empty what is too old, if the last look is some time ago.

        Raises:
            OSError: it cannot be done, as where the file system knows no holes.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        since_ns = time.time_ns() - round(self._keep_seconds * 1e9)
        rows: dict[str, int] = {}
        for name in _LINES:
            start = first_line_since(self._directory / name, since_ns)
            for vector in _first_vectors(self._directory / name, start):
                rows[vector.file] = min(vector.row, rows.get(vector.file, vector.row))
            self.freed_bytes += empty(self._directory / name, start)
        for file, row in rows.items():
            length = Path(file).stem.partition("_")[2]
            self.freed_bytes += empty(self._directory / file, 4 * row * int(length))


def first_line_since(path: Path, since_ns: int) -> int:
    """Return where the first line begins that was sent at this time or later (Unix, nanoseconds); the end of the file where all
    lines are older. The lines are in the order of their times.

    Raises:
        OSError: the file cannot be read.
    """
    if not path.exists():
        return 0
    low, high = first_data(path), path.stat().st_size
    with path.open("rb") as file:
        while high - low > _NEAR_BYTES:
            middle = (low + high) // 2
            file.seek(middle)
            at = middle + len(file.readline())
            line = _decoded(file.readline())
            if line is not None and line.sent_ns < since_ns:
                low = at
            else:
                high = middle
    at = low
    for whole in whole_lines(path, low):
        line = _decoded(whole)
        if line is not None and line.sent_ns >= since_ns:
            return at
        at += len(whole)
    return at


def empty(path: Path, until: int) -> int:
    """Make a hole of a file's beginning; return how many bytes went that were there before.

    Raises:
        OSError: it cannot be done.
    """
    if not path.exists() or (gone := until - first_data(path)) <= 0:
        return 0
    with path.open("r+b") as file:
        if _libc.fallocate(file.fileno(), _KEEP_SIZE_AND_PUNCH_HOLE, ctypes.c_long(0), ctypes.c_long(until)):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    return gone


def _first_vectors(path: Path, start: int) -> Iterator[_Vector]:
    """Yield the first vector of each file that the lines from here on name."""
    seen: set[str] = set()
    for whole in islice(whole_lines(path, start), _MOST_LINES):
        line = _decoded(whole)
        if line is not None and line.embedding is not None and line.embedding.file not in seen:
            seen.add(line.embedding.file)
            yield line.embedding


def _decoded(line: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError:
        return None
