"""The pieces of a run's growing files, as the chain counts them: lines and, in vector files, rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from engine.archive.files import whole_lines
from engine.archive.vector_files import row_bytes

CORRECTIONS = "corrections.jsonl"
"""Of people, who look at a result."""
REJECTED = "rejected.jsonl"
"""Of tracks that were not believed."""
LINED = ("faces.jsonl", "tracks.jsonl", "stream.jsonl", "progress.jsonl", REJECTED, CORRECTIONS)
"""Those of lines."""
_AT_ONCE = 1 << 20


def chained_files(directory: Path) -> list[str]:
    """Return which of the files that a chain speaks of are there; no symbolic link is."""
    vectors = sorted(path.name for path in directory.iterdir() if row_bytes(path.name))
    return [name for name in (*LINED, *vectors) if (directory / name).is_file() and not (directory / name).is_symlink()]


def pieces(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Yield the pieces of a file from a byte on, which must be where one begins; not what stands behind the last whole one.

    Raises:
        OSError: the file cannot be read.
    """
    if not (length := row_bytes(path.name)):
        yield from whole_lines(path, offset)
        return
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_AT_ONCE // length * length or length):
            for start in range(0, len(block) - length + 1, length):
                yield block[start : start + length]


def digest(piece: bytes | memoryview) -> bytes:
    """Return the SHA-256 of a piece; zeros, of which a vector consists that went, of a piece of zeros."""
    return bytes(32) if not any(piece[:64]) and not any(piece) else hashlib.sha256(piece).digest()


def digests(path: Path, offset: int = 0) -> bytearray:
    """Return the SHA-256 of each piece from a byte on, 32 bytes each.

    Raises:
        OSError: the file cannot be read.
    """
    found = bytearray()
    for piece in pieces(path, offset):
        found += digest(piece)
    return found


def size_of_pieces(path: Path) -> int:
    """Return the length of a file up to the end of its last whole piece, 0 where there is no file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    if length := row_bytes(path.name):
        return size - size % length
    with path.open("rb") as file:
        end = size
        while end:
            start = max(0, end - (1 << 16))
            file.seek(start)
            if (at := file.read(end - start).rfind(b"\n")) >= 0:
                return start + at + 1
            end = start
    return 0
