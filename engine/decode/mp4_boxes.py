"""The boxes of an MP4 or QuickTime file (ISO/IEC 14496-12)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MOST_BYTES = 64 << 20
"""Longest index, in bytes; longer ones are not read."""
_MOST_BOXES = 100_000
"""Most boxes of a file."""


class OuterBox(NamedTuple):
    """A top-level box of a file."""

    place: int
    """Position of its first byte."""
    kind: bytes
    header_bytes: int
    size_bytes: int
    """Size in bytes with its header; 0: up to the end of the file."""


def outermost(file: BinaryIO) -> Iterator[OuterBox]:
    """Yield the consecutive top-level boxes of a file; the last one may be truncated after its header."""
    place, end = 0, os.fstat(file.fileno()).st_size
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        size, header_bytes = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, header_bytes = int.from_bytes(head[8:], "big"), 16
        yield OuterBox(place, head[4:8], header_bytes, size)
        if size < 8 or place + size > end:
            return
        place += size


def movie_box(path: Path) -> bytes:
    """Return the content of a file's index (``moov``); empty if it has none.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        for box in outermost(file):
            if box.kind == b"moov":
                file.seek(box.place + box.header_bytes)
                length = box.size_bytes - box.header_bytes
                return file.read(min(length, _MOST_BYTES) if length >= 0 else _MOST_BYTES)
    return b""


def inside(data: bytes, *names: bytes) -> bytes:
    """Return the content of a box within a box, and so on; empty if there is none."""
    for name in names:
        data = dict(boxes(data)).get(name, b"")
    return data


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of consecutive boxes."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield kind, data[at + 8 : at + size]
        at += size
