"""The length of a file by its own header: FFmpeg reads a truncated file as if it ended there."""

from __future__ import annotations

from pathlib import Path

from engine.decode.ebml import SEGMENT, head_at
from engine.decode.late_start import ASF_HEADER

_HEAD_BYTES = 4096
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_SIZE_AT, _ASF_FLAGS_AT, _ASF_IS_LIVE = 40, 88, 1
"""A flag in the file properties object ([MS-ASF] 3.2): the size of a live file means nothing."""


def announced_bytes(path: Path) -> int:
    """Return the number of bytes that an AVI, Matroska or WMV file announces; 0: none.

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
        first = head_at(head, 0)
        segment = head_at(head, first.begin + (first.length or 0))
        return segment.begin + (segment.length or 0) if segment.identity == SEGMENT and segment.length else 0
    except (IndexError, ValueError):
        return 0
