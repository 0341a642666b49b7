"""Whether a file ends where one of its kind can end: FFmpeg reads these kinds as if they ended wherever they are cut off."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.decode.ebml import head_at

_LOOKED_AT_BYTES = 1 << 17
"""More than the longest packet of any of them, which is a program stream's or a page of Ogg."""
_AFTER_GIF_BYTES = 64
_GIF_END, _BLOCKS_END = b"\0;", b"\0"
_TS_SYNC, _TS_BYTES, _TS_PACKETS = 0x47, (188, 192, 204), 8
"""Of a transport stream: the byte with which a packet begins, how long they are, and how many make one sure."""
_PACK, _PACK_BYTES, _PACK_1_BYTES = b"\0\0\1\xba", 14, 12
"""Of a program stream (ISO/IEC 13818-1, 2.5.3.3), and as MPEG-1 has it."""
_PREFIX, _FIRST_WITH_LENGTH = b"\0\0\1", 0xBB
_PAGE, _PAGE_HEAD_BYTES = b"OggS", 27
"""RFC 3533, section 6."""
_MATROSKA, _BLOCK_HEAD_BYTES = "matroska,webm", 4
_GROUPS, _BLOCKS = {0x1F43B675, 0xA0}, {0xA3, 0xA1, 0xE7}
"""Clusters and groups, and what stands in them: blocks and times (RFC 9559)."""


def ends_within_packet(path: Path, kind: str, read_to_byte: int) -> bool:
    """Whether a file ends in the middle of a packet or picture, as far as its kind tells.

    Args:
        path: of the file.
        kind: what FFmpeg calls its container.
        read_to_byte: where the last payload that was read ends.

    Raises:
        OSError: it cannot be read.
    """
    if kind not in _ENDS:
        return False
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(read_to_byte if kind == _MATROSKA else max(0, size - _LOOKED_AT_BYTES))
        return _ENDS[kind](file.read(_LOOKED_AT_BYTES), read_to_byte - size)


def _gif(data: bytes, _: int) -> bool:
    return not data.endswith(_BLOCKS_END) and _GIF_END not in data[-_AFTER_GIF_BYTES:]


def _transport_stream(data: bytes, _: int) -> bool:
    """What is no packet, as space that a recorder reserved, ends as it likes."""
    if len(data) < _TS_PACKETS * max(_TS_BYTES):
        return False
    ends = [
        behind
        for length in _TS_BYTES
        for behind in range(1, length + 1)
        if all(data[-behind - number * length] == _TS_SYNC for number in range(_TS_PACKETS - 1))
    ]
    return bool(ends) and max(ends) < min(_TS_BYTES)


def _program_stream(data: bytes, _: int) -> bool:
    at = data.rfind(_PACK)
    if at < 0:
        return False
    is_mpeg_2 = data[at + 4 : at + 5] >= b"\x40"
    stuffing = data[at + 13] & 7 if is_mpeg_2 and len(data) > at + 13 else 0
    at += _PACK_BYTES + stuffing if is_mpeg_2 else _PACK_1_BYTES
    while at + 6 <= len(data):
        if data[at : at + 3] != _PREFIX or data[at + 3] < _FIRST_WITH_LENGTH:
            return False
        at += 6 + int.from_bytes(data[at + 4 : at + 6], "big")
    return at > len(data) or (at < len(data) and _PREFIX.startswith(data[at : at + 3]))


def _ogg(data: bytes, _: int) -> bool:
    at = data.rfind(_PAGE)
    if at < 0:
        return False
    segments = data[at + _PAGE_HEAD_BYTES :][: data[at + _PAGE_HEAD_BYTES - 1]] if len(data) >= at + _PAGE_HEAD_BYTES else b""
    return at + _PAGE_HEAD_BYTES + len(segments) + sum(segments) > len(data)


def _matroska(data: bytes, beyond: int) -> bool:
    """Behind the last block, of which FFmpeg does not count number, time and flags, another one begins."""
    at, left = _BLOCK_HEAD_BYTES, -beyond
    try:
        while at < left:
            head = head_at(data, at)
            if head.identity not in _BLOCKS and head.identity not in _GROUPS:
                return False
            at = head.begin + (0 if head.identity in _GROUPS else head.length or 0)
    except IndexError:
        return len(data) == left
    return at > left


_ENDS: dict[str, Callable[[bytes, int], bool]] = {
    "gif": _gif,
    "mpegts": _transport_stream,
    "mpeg": _program_stream,
    "ogg": _ogg,
    _MATROSKA: _matroska,
    "dv": lambda _, beyond: beyond > 0,
    "yuv4mpegpipe": lambda _, beyond: beyond < 0,
}
"""By what FFmpeg calls the container: of its last bytes, of Matroska those behind the last payload, and of how far that one
reaches beyond the end."""
