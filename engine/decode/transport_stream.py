"""Finds the videos that an MPEG transport stream holds one after the other: FFmpeg silently reads only one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_CODECS = {
    0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc", 0x33: "vvc", 0x42: "cavs", 0xD2: "avs2",
    0xEA: "vc1",
}  # fmt: skip
"""Codecs by stream type (ISO/IEC 13818-1, table 2-34)."""
_TABLE = re.compile(rb"\x47[\x40-\x5f].[\x10-\x1f]\x00[\x00\x02]\xb0", re.DOTALL)
"""A packet that begins with a program association (PAT) or program map table (PMT); by chance it occurs once in half a
terabyte.
"""
_PACKETS = re.compile(rb"\x47(?:(?:.{187}\x47){3}|(?:.{191}\x47){3}|(?:.{203}\x47){3})", re.DOTALL)
"""Four packets, for each packet length."""
_HEAD_OF_FILE_BYTES = 1 << 16
"""Bytes in which packets must begin: most recordings are not transport streams, and no more of them is read."""
_PROGRAMS, _KIND_AT = 0, 5
_HEAD_BYTES, _PACKET_BYTES = 5, 188
"""Bytes of a packet before the table, and in all; a longer table is not read to its end."""
_BLOCK_BYTES, _MOST_BLOCKS = 1 << 20, 2048
_ENDS_BYTES = 4 << 20
"""Bytes of a file's beginning and end that are compared to see whether anything changes in between."""
_MOST_PIECES = 64


class Video(NamedTuple):
    """A video listed in a program map table."""

    pid: int
    codec: str
    """FFmpeg's name of the codec."""


class Piece(NamedTuple):
    """A range of bytes of a file in which the video stays the same."""

    begin: int
    end: int
    """Exclusive; 0: to the end of the file."""


class _Table(NamedTuple):
    at: int
    """Position in the file of the table, or of the PAT before it."""
    program: int
    video: Video


def changes_of_video(path: Path) -> list[Video]:
    """Return the successive first videos of a program; empty if that never changes.

    Raises:
        OSError: the file cannot be read.
    """
    told = _changes(path)
    return next(([table.video for table in tables] for tables in told.values() if len(tables) > 1), [])


def pieces_of(path: Path) -> list[Piece]:
    """Return the pieces of a file that begins with one video and ends with another; empty if it does not, has several programs,
    or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_OF_FILE_BYTES)
            if not _PACKETS.search(head):
                return []
            head += file.read(_ENDS_BYTES - len(head))
            if not (begins := {table.video for table in _tables(head, 0)}):
                return []
            file.seek(max(0, path.stat().st_size - _ENDS_BYTES))
            ends = {table.video for table in _tables(file.read(), 0)}
        if len(begins | ends) < 2:
            return []
        told = list(_changes(path).values())
    except (OSError, ValueError):  # a path with a null character
        return []
    if len(told) != 1 or not 1 < len(told[0]) <= _MOST_PIECES:
        return []
    if told[0][-1].video not in ends:  # it changes again after the examined part
        return []
    begin = [0, *(table.at for table in told[0][1:]), 0]
    return [Piece(*bounds) for bounds in pairwise(begin)]


def _changes(path: Path) -> dict[int, list[_Table]]:
    """Return for each program the tables whose first video differs from the previous one's."""
    told: dict[int, list[_Table]] = {}
    with path.open("rb") as file:
        data, at = b"", 0
        for _ in range(_MOST_BLOCKS):
            if not (block := file.read(_BLOCK_BYTES)):
                break
            kept = data[-2 * _PACKET_BYTES :]
            data, at = kept + block, at + len(data) - len(kept)
            for table in _tables(data, at):
                tables = told.setdefault(table.program, [])
                if not tables or tables[-1].video != table.video:
                    tables.append(table)
    return told


def _tables(data: bytes, at: int) -> Iterator[_Table]:
    """Yield the program map tables that list a video, in data that begin at byte ``at`` of a file."""
    begin: int | None = None
    for found in _TABLE.finditer(data):
        if data[found.start() + _KIND_AT] == _PROGRAMS:
            begin = found.start()
            continue
        table = data[found.start() + _HEAD_BYTES : found.start() + _PACKET_BYTES]
        if video := next(_listed(table), None):
            yield _Table(at + (found.start() if begin is None else begin), int.from_bytes(table[3:5], "big"), video)
        begin = None


def _listed(table: bytes) -> Iterator[Video]:
    """Yield the videos of a program map table."""
    end = min(3 + (int.from_bytes(table[1:3], "big") & 0xFFF) - 4, len(table))
    at = 12 + (int.from_bytes(table[10:12], "big") & 0xFFF)
    while at + 5 <= end:
        kind, pid, length = table[at], *(int.from_bytes(table[at + place : at + place + 2], "big") for place in (1, 3))
        if kind in _CODECS:
            yield Video(pid & 0x1FFF, _CODECS[kind])
        at += 5 + (length & 0xFFF)
