"""Read a file of lines from its end, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.archive.files import first_data

_BLOCK_BYTES = 1 << 16
LONGEST_LINE_BYTES = 1 << 20
"""A longer one is none of ours, and ends the reading."""


def lines_backwards(path: Path, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines, the last one first, each with where it begins; none where there is no file.

    What follows the last line break is being written, or was while the run was killed, and is no line.

    Args:
        path: may be written meanwhile, and may begin with a hole, see ``expiry``.
        end: read what lies before; None: all.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        first = first_data(path)
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        size = file.seek(0, 2)
        position = size if end is None else min(end, size)
        rest, whole = b"", False
        while position > first and len(rest) <= LONGEST_LINE_BYTES:
            start = max(first, position - _BLOCK_BYTES)
            file.seek(start)
            block = file.read(position - start)
            if len(block) < position - start:
                return  # it was cut meanwhile
            position = start
            pieces = (block + rest).split(b"\n")
            ends = start + len(block) + len(rest)
            for piece in reversed(pieces[1:]):
                begins = ends - len(piece)
                if whole and piece:
                    yield begins, piece + b"\n"
                whole, ends = True, begins - 1
            rest = pieces[0]
            if position == first and whole and rest:
                yield first, rest + b"\n"
