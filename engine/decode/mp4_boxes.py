"""The boxes of an MP4 or QuickTime file (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 64 << 20
"""Of an index; longer ones are not looked through."""


def movie_box(path: Path) -> bytes:
    """Return the content of a file's index (``moov``), empty where it has none.

    Raises:
        OSError: it cannot be read.
        struct.error: it is damaged.
    """
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", head)
            length = size - 8
            if size == 1:
                length = struct.unpack(">Q", file.read(8))[0] - 16
            if kind == b"moov":
                return file.read(min(length, _MOST_BYTES))
            if size == 0 or length < 0:
                break
            file.seek(length, 1)
    return b""


def inside(data: bytes, *names: bytes) -> bytes:
    """Return the content of a box within a box, and so on; empty where there is none."""
    for name in names:
        data = dict(boxes(data)).get(name, b"")
    return data


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of the boxes that stand one behind the other."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield kind, data[at + 8 : at + size]
        at += size
