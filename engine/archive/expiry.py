"""Lines and vectors of cameras are kept for a limited time, or up to a limited size: older ones are emptied and their disk
space is freed.

A file keeps its length, so that positions of lines and rows stay valid: its beginning becomes a hole, which reads as zeros and
takes no space. Of what was there at the start the times in the lines say where the hole ends, so nothing needs to be remembered
over a restart. They are out of order where the wall clock was set back; so of what was written since then it is remembered how
long the files were when.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.archive.files import first_data, whole_lines
from engine.archive.past import PastClock
from engine.archive.pieces import REJECTED
from engine.archive.vector_files import row_bytes, vector_files
from engine.contracts.unreadable import UNREADABLE

_LOOK_SECONDS = 60.0
_MARK_SECONDS, _MARKS = 1.0, 200
"""How often it is looked whether files have grown enough to be remembered, and how many times while they fill the room."""
_KEEP_SIZE_AND_PUNCH_HOLE = 3
_NEAR_BYTES = 1 << 16
"""So near to the wanted line it is read on from one to the next."""
_NEAR_NS = 10**8
"""So near to the time from which on all fits is enough."""
_LOOKED_BACK_BYTES = 1 << 18
"""Of lines that go: so many may name no vector where none that stays does."""
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


class _Mark(NamedTuple):
    """How long the files with lines were."""

    at: float
    """Monotonic seconds."""
    ends: dict[Path, int]


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
        self._next_look = self._next_mark = 0.0
        self._past, self._started_ns = PastClock(), time.time_ns()
        self._start = self._mark()
        self._marks: deque[_Mark] = deque(maxlen=4 * _MARKS)
        """Of what was written since then; more than of what is still there."""
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
        if self._keep_bytes and now >= self._next_mark:
            self._next_mark = now + _MARK_SECONDS
            self._remember(self._mark())
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        cuts = self._cuts(self._past.ago_ns(self._keep_seconds)) if self._keep_seconds else {}
        if self._keep_bytes and self._left({}) > self._keep_bytes:
            for path, until in self._cuts_that_fit().items():
                cuts[path] = max(until, cuts.get(path, 0))
        cuts = {path: until for path, until in cuts.items() if goes(path, until)}
        if cuts:
            self._tell({path.name: until for path, until in cuts.items()})
        for path, until in cuts.items():
            self.freed_bytes += empty(path, until)

    def _mark(self) -> _Mark:
        paths = (self._directory / name for name in _LINES)
        return _Mark(time.monotonic(), {path: path.stat().st_size if path.exists() else 0 for path in paths})

    def _remember(self, mark: _Mark) -> None:
        last = self._marks[-1] if self._marks else self._start
        if sum(mark.ends.values()) - sum(last.ends.values()) > self._keep_bytes / _MARKS:
            self._marks.append(mark)

    def _cuts(self, since_ns: int, ends: dict[Path, int] | None = None) -> dict[Path, int]:
        """Return where each file begins if it has nothing older.

        Args:
            since_ns: Unix, nanoseconds.
            ends: where the lines end that are looked at; None: all are.
        """
        paths = [self._directory / name for name in _LINES]
        return self._with_vectors({path: first_line_since(path, since_ns, ends[path] if ends else None) for path in paths})

    def _with_vectors(self, cuts: dict[Path, int]) -> dict[Path, int]:
        """Return where the files with lines begin, and those with the vectors that these name. Where no line that stays names
        one, as those of a run that has ended may all go, what stays begins behind the last one that a line named: the line of a
        newer one is being written."""
        vectors = {path.name for path in vector_files(self._directory)}
        paths = [self._directory / name for name in _WITH_VECTORS]
        rows: dict[str, int] = {}
        for vector in chain.from_iterable(_first_vectors(path, cuts[path], vectors) for path in paths):
            rows[vector.file] = min(vector.row, rows.get(vector.file, vector.row))
        if unnamed := vectors - rows.keys():
            for vector in chain.from_iterable(_last_vectors(path, cuts[path]) for path in paths):
                if vector.file in unnamed:
                    rows[vector.file] = max(vector.row + 1, rows.get(vector.file, 0))
        return cuts | {self._directory / file: row * row_bytes(file) for file, row in rows.items()}

    def _left(self, cuts: dict[Path, int]) -> int:
        """Return how many bytes there are, less what goes if some files begin later."""
        paths = [self._directory / name for name in _LINES]
        there = [path for path in (*paths, *vector_files(self._directory)) if path.exists()]
        return sum(path.stat().st_size - max(first_data(path), cuts.get(path, 0)) for path in there)

    def _fits(self, cuts: dict[Path, int]) -> bool:
        return self._left(cuts) <= self._keep_bytes

    def _cuts_that_fit(self) -> dict[Path, int]:
        """Return where the files begin if all together is small enough; nothing where that cannot be, as where the lines of
        today name no vector and those of yesterday's fill the room: emptying lines would not help."""
        if self._fits(self._with_vectors(self._start.ends)):
            since_ns = self._first_time_that_fits()
            self.gone_before = max(self.gone_before, self._start.at - (self._started_ns - since_ns) / 1e9)
            return self._cuts(since_ns, self._start.ends)
        marks = list(self._marks)
        found = bisect_left(marks, True, key=lambda mark: self._fits(self._with_vectors(mark.ends)))
        if found == len(marks):
            return {}
        for _ in range(found):
            self._marks.popleft()
        self.gone_before = max(self.gone_before, marks[found].at)
        return self._with_vectors(marks[found].ends)

    def _first_time_that_fits(self) -> int:
        """Return the time (Unix, nanoseconds) from which on all together is small enough, of what was there at the start; that
        of the first line where none is, as where a clock was ahead when the lines were written."""
        ends = self._start.ends
        firsts = (next(whole_lines(path), b"") for path in ends)
        times = [line.sent_ns for first in firsts if (line := _decoded(first)) is not None]
        high = self._started_ns
        low = first = min(times, default=high)
        while high - low > _NEAR_NS:
            middle = (low + high) // 2
            if self._fits(self._cuts(middle, ends)):
                high = middle
            else:
                low = middle
        return high if self._fits(self._cuts(high, ends)) else first


def first_line_since(path: Path, since_ns: int, end: int | None = None) -> int:
    """Return where the first line begins that was sent at this time or later (Unix, nanoseconds); the end of the file where all
    lines are older. The lines are in the order of their times.

    Args:
        path: of the file.
        since_ns: see above.
        end: where the lines end that are looked at; None: all are.

    Raises:
        OSError: the file cannot be read.
    """
    if not path.exists():
        return 0
    low, high = first_data(path), path.stat().st_size if end is None else end
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
        if (end is not None and at >= end) or (line is not None and line.sent_ns >= since_ns):
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


def _last_vectors(path: Path, end: int) -> Iterator[_Vector]:
    """Yield the vectors that the last lines before a place name, in their order."""
    at = max(first_data(path) if path.exists() else 0, end - _LOOKED_BACK_BYTES)
    for whole in whole_lines(path, at):
        if at >= end:
            return
        at += len(whole)
        line = _decoded(whole)
        if line is not None and line.embedding is not None:
            yield line.embedding


def _decoded(line: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(line, type=_Line)
    except UNREADABLE:
        return None
