"""MP4 that was cut off, or is still being written: FFmpeg opens none whose last box describes what is not there yet."""

from __future__ import annotations

import os
from pathlib import Path

from engine.decode.mp4_boxes import outermost

_INDEX, _FRAGMENT = b"moov", b"moof"
_MOVIE = (b"ftyp", b"wide", b"mdat", b"free", b"skip", b"pnot", _INDEX)
"""First boxes of a file."""


def whole_fragments(path: Path) -> int:
    """Return where the box behind the index begins that is truncated at the end of a file; 0 if there is none."""
    kinds, cut_at = _boxes(path)
    return cut_at if _INDEX in kinds[:-1] else 0


def ends_within_fragment(path: Path) -> bool:
    """Whether a file ends within the description of its last fragment."""
    kinds, cut_at = _boxes(path)
    return bool(cut_at) and kinds[-1] == _FRAGMENT


def has_cut_index(path: Path) -> bool:
    """Whether a file ends within its index."""
    kinds, cut_at = _boxes(path)
    return bool(cut_at) and kinds[-1] == _INDEX


def _boxes(path: Path) -> tuple[list[bytes], int]:
    """Return the kinds of a file's boxes, and where the last one begins if it is truncated, otherwise 0."""
    try:
        with path.open("rb") as file:
            if file.read(8)[4:] not in _MOVIE:
                return [], 0
            found = list(outermost(file))
            last, size = found[-1], os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return [], 0
    return [box.kind for box in found], last.place if last.place + last.size_bytes > size else 0
