"""The length of a file by its own header: FFmpeg reads a truncated file as if it ended there."""

from __future__ import annotations

from pathlib import Path

from engine.decode.ebml import SEGMENT, head_at
from engine.decode.late_start import ASF_HEADER

_HEAD_BYTES = 4096
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_SIZE_AT, _ASF_FLAGS_AT, _ASF_IS_LIVE = 40, 88, 1
"""A flag in the file properties object ([MS-ASF] 3.2): the size of a live file means nothing."""

_MXF_HEADER = bytes.fromhex("060e2b34020501010d0102010102")
_MXF_LENGTH_AT, _MXF_FOOTER_AT = 16, 24
"""In the header partition pack (SMPTE ST 377-1, 7.1): the footer offset counts from behind the length; 0: not known."""


def announced_bytes(path: Path) -> int:
    """Return the number of bytes that an AVI, Matroska, MXF (at least), SWF or WMV file announces; 0: none.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        if head.startswith(ASF_HEADER):
            at = head.index(_ASF_PROPERTIES)
            is_live = head[at + _ASF_FLAGS_AT] & _ASF_IS_LIVE
            return 0 if is_live else int.from_bytes(head[at + _ASF_SIZE_AT :][:8], "little")
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return 8 + int.from_bytes(head[4:8], "little")
        if head.startswith(b"FWS"):
            return int.from_bytes(head[4:8], "little")
        if head.startswith(_MXF_HEADER):
            length = head[_MXF_LENGTH_AT]
            at = _MXF_LENGTH_AT + 1 + (length & 0x7F if length & 0x80 else 0) + _MXF_FOOTER_AT
            return int.from_bytes(head[at : at + 8], "big")
        first = head_at(head, 0)
        segment = head_at(head, first.begin + (first.length or 0))
        return segment.begin + (segment.length or 0) if segment.identity == SEGMENT and segment.length else 0
    except (IndexError, ValueError):
        return 0
