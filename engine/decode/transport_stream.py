"""Which videos an MPEG transport stream holds one after the other: FFmpeg reads one of them, and says nothing of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_CODECS = {
    0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc", 0x33: "vvc", 0x42: "cavs", 0xD2: "avs2",
    0xEA: "vc1",
}  # fmt: skip
"""By stream type (ISO/IEC 13818-1, table 2-34)."""
_TABLE = re.compile(rb"\x47[\x40-\x5f].[\x10-\x1f]\x00\x02\xb0", re.DOTALL)
"""A packet that begins with a program's table (PMT): chance writes that once in half a terabyte."""
_HEAD_BYTES, _PACKET_BYTES = 5, 188
"""Of a packet: before the table, and all of it; a longer table is not looked at to its end."""
_BLOCK_BYTES, _MOST_BLOCKS = 1 << 20, 2048


class Video(NamedTuple):
    """A video, as a program's table lists it."""

    pid: int
    codec: str
    """As FFmpeg calls it."""


def changes_of_video(path: Path) -> list[Video]:
    """Return what a program's first video is, one after the other; empty where that never changes.

    Raises:
        OSError: the file cannot be read.
    """
    told: dict[int, list[Video]] = {}
    for program, video in _videos(path):
        videos = told.setdefault(program, [])
        if not videos or videos[-1] != video:
            videos.append(video)
    return next((videos for videos in told.values() if len(videos) > 1), [])


def _videos(path: Path) -> Iterator[tuple[int, Video]]:
    """Yield each table's program and its first video."""
    with path.open("rb") as file:
        data = b""
        for _ in range(_MOST_BLOCKS):
            if not (block := file.read(_BLOCK_BYTES)):
                return
            data = data[-_PACKET_BYTES:] + block
            for found in _TABLE.finditer(data):
                table = data[found.start() + _HEAD_BYTES : found.start() + _PACKET_BYTES]
                if video := next(_listed(table), None):
                    yield int.from_bytes(table[3:5], "big"), video


def _listed(table: bytes) -> Iterator[Video]:
    """Yield what a program's table lists as video."""
    end = min(3 + (int.from_bytes(table[1:3], "big") & 0xFFF) - 4, len(table))
    at = 12 + (int.from_bytes(table[10:12], "big") & 0xFFF)
    while at + 5 <= end:
        kind, pid, length = table[at], *(int.from_bytes(table[at + place : at + place + 2], "big") for place in (1, 3))
        if kind in _CODECS:
            yield Video(pid & 0x1FFF, _CODECS[kind])
        at += 5 + (length & 0xFFF)
