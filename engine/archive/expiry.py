"""Lines and vectors of cameras are kept for a limited time, or up to a limited size: older ones are emptied and their disk
space is freed.

A file keeps its length, so that positions of lines and rows stay valid: its beginning becomes a hole, which reads as zeros and
takes no space. Where the hole ends follows from the times in the lines, so nothing needs to be remembered over a restart.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from engine.archive.files import first_data, whole_lines
from engine.archive.past import PastClock
from engine.archive.pieces import REJECTED
from engine.archive.vector_files import row_bytes, vector_files
from engine.contracts.unreadable import UNREADABLE

_LOOK_SECONDS = 60.0
_KEEP_SIZE_AND_PUNCH_HOLE = 3
_NEAR_BYTES = 1 << 16
"""So near to the wanted line it is read on from one to the next."""
_NEAR_NS = 10**8
"""So near to the time from which on all fits is enough."""
_MOST_LINES = 10_000
"""Among the first lines that stay one is looked for that has a vector."""
_WITH_VECTORS = ("faces.jsonl", "tracks.jsonl")
_LINES = (*_WITH_VECTORS, "stream.jsonl", REJECTED)
_libc = ctypes.CDLL(None, use_errno=True)


class _Vector(msgspec.Struct):
    file: str
    row: int


class _Line(msgspec.Struct):
    sent_ns: int
    embedding: _Vector | None = None


class Expiry:
    """Empties what is too old, or too much, in ``faces.jsonl``, ``tracks.jsonl``, ``stream.jsonl``, ``rejected.jsonl`` and the
    vectors beside them.

    Args:
        directory: of the run.
        keep_seconds: age from which on a line goes, and its vector with it; 0: any.
        keep_bytes: size of all of them; 0: any.
        tell: is given the files and the bytes up to which they are emptied, before they are.
    """

    def __init__(
        self,
        directory: Path,
        keep_seconds: float,
        keep_bytes: int = 0,
        tell: Callable[[dict[str, int]], None] = lambda emptied: None,
    ) -> None:
        self._tell = tell
        self._directory, self._keep_seconds, self._keep_bytes = directory, keep_seconds, keep_bytes
        self._next_look = 0.0
        self._past = PastClock()
        self.freed_bytes = 0
        """Of lines and vectors that went."""
        self.gone_before = -math.inf
        """Monotonic seconds: what was written before has no line any more."""

    def look(self) -> None:
        """Empty what is too old or too much, if the last look is some time ago.

        Raises:
            OSError: it cannot be done, as where the file system knows no holes.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        limits = [self._past.ago_ns(self._keep_seconds)] if self._keep_seconds else []
        if self._keep_bytes and self._left({}) > self._keep_bytes:
            limits.append(self._first_time_that_fits())
            self.gone_before = max(self.gone_before, now - (time.time_ns() - limits[-1]) / 1e9)
        if limits:
            cuts = {path: until for path, until in self._cuts(max(limits)).items() if goes(path, until)}
            if cuts:
                self._tell({path.name: until for path, until in cuts.items()})
            for path, until in cuts.items():
                self.freed_bytes += empty(path, until)

    def _cuts(self, since_ns: int) -> dict[Path, int]:
        """Return where each file begins if it has nothing older."""
        vectors = {path.name for path in vector_files(self._directory)}
        cuts: dict[Path, int] = {}
        rows: dict[str, int] = {}
        for name in _LINES:
            cuts[self._directory / name] = first_line_since(self._directory / name, since_ns)
        for path in (self._directory / name for name in _WITH_VECTORS):
            for vector in _first_vectors(path, cuts[path], vectors):
                rows[vector.file] = min(vector.row, rows.get(vector.file, vector.row))
        for file, row in rows.items():
            cuts[self._directory / file] = row * row_bytes(file)
        return cuts

    def _left(self, cuts: dict[Path, int]) -> int:
        """Return how many bytes there are, less what goes if some files begin later."""
        paths = [self._directory / name for name in _LINES]
        there = [path for path in (*paths, *vector_files(self._directory)) if path.exists()]
        return sum(path.stat().st_size - max(first_data(path), cuts.get(path, 0)) for path in there)

    def _first_time_that_fits(self) -> int:
        """Return the time (Unix, nanoseconds) from which on all together is small enough; that of the first line where none is,
        as where the lines of today name no vector and those of yesterday's fill the room: emptying lines would not help."""
        firsts = (next(whole_lines(self._directory / name), b"") for name in _LINES)
        times = [line.sent_ns for first in firsts if (line := _decoded(first)) is not None]
        high = time.time_ns()
        low = first = min(times, default=high)
        while high - low > _NEAR_NS:
            middle = (low + high) // 2
            if self._left(self._cuts(middle)) > self._keep_bytes:
                low = middle
            else:
                high = middle
        return high if self._left(self._cuts(high)) <= self._keep_bytes else first


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
    if not (gone := goes(path, until)):
        return 0
    with path.open("r+b") as file:
        punch(file.fileno(), 0, until)
    return gone


def goes(path: Path, until: int) -> int:
    """Return how many bytes before a place are there.

    Raises:
        OSError: the file cannot be read.
    """
    return max(0, until - first_data(path)) if path.exists() else 0


def punch(descriptor: int, start: int, length: int) -> None:
    """Make a hole in an open file: zeros, which take no room where they fill a block.

    Raises:
        OSError: it cannot be done, as where the file system knows no holes.
    """
    if _libc.fallocate(descriptor, _KEEP_SIZE_AND_PUNCH_HOLE, ctypes.c_long(start), ctypes.c_long(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _first_vectors(path: Path, start: int, files: Collection[str]) -> Iterator[_Vector]:
    """Yield the first vector of each of these files that the lines from here on name."""
    seen: set[str] = set()
    for whole in islice(whole_lines(path, start), _MOST_LINES):
        if seen.issuperset(files):
            return
        line = _decoded(whole)
        if line is not None and line.embedding is not None and line.embedding.file not in seen:
            seen.add(line.embedding.file)
            yield line.embedding


def _decoded(line: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(line, type=_Line)
    except UNREADABLE:
        return None
