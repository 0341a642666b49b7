"""What FFmpeg leaves out of a recording without a word: what was joined to it as ``cat`` does, and segments that are gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from av.container import InputContainer

from engine.words.numbers import count

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FLV_HEADER = b"FLV\x01"
_FLV_TAG_BYTES = 64
"""More than stands between the last bytes of a tag and what follows it."""
_MOST_PIECES = 100_000
"""Boxes of a file that are looked at: one of very many is fragmented, and read on."""
_MOST_NAMES = 3


def not_read(path: Path, container: InputContainer, read_to_byte: int) -> Iterator[str]:
    """Yield what a user should know of a recording that was read to its end.

    Args:
        path: of the file.
        container: still open.
        read_to_byte: where the last payload that was read ends, 0: nobody knows.
    """
    kind = container.format.name
    try:
        if kind == "hls":
            yield from _missing_segments(path)
        elif _goes_on(path, kind, read_to_byte):
            yield (
                f"{path} holds another recording behind the first, as `cat` joins them: only the first was read; "
                "give each as a file of its own"
            )
    except OSError:
        return  # it was read: what is beside it can no longer be said


def _goes_on(path: Path, kind: str, read_to_byte: int) -> bool:
    with path.open("rb") as file:
        if kind == "flv":
            file.seek(read_to_byte)
            return _FLV_HEADER in file.read(_FLV_TAG_BYTES)
        if kind == "asf":
            return sum(name == _ASF_HEADER for name in _asf_objects(file)) > 1
        if kind.startswith("mov,mp4"):
            return any(name == b"ftyp" and place >= read_to_byte > 0 for place, name in _boxes(file))
    return False


def _boxes(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield where the outermost boxes are, and of which kind."""
    place, end = 0, os.fstat(file.fileno()).st_size
    for _ in range(_MOST_PIECES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        yield place, head[4:8]
        if size < 8 or place + size > end:  # 0: up to the end
            return
        place += size


def _asf_objects(file: BinaryIO) -> Iterator[bytes]:
    """Yield what the outermost objects are."""
    place = 0
    for _ in range(_MOST_PIECES):
        file.seek(place)
        head = file.read(24)
        size = int.from_bytes(head[16:], "little")
        if len(head) < 24 or size < 24:
            return
        yield head[:16]
        place += size


def _missing_segments(path: Path) -> Iterator[str]:
    lines = [line.strip() for line in path.read_text("utf-8", "surrogateescape").splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    gone = [name for name in dict.fromkeys(named) if not (path.parent / name).exists()]
    if gone:
        names = ", ".join(gone[:_MOST_NAMES]) + (", …" if len(gone) > _MOST_NAMES else "")
        are = "is" if len(gone) == 1 else "are"
        segments = count(len(set(named)), "segment")
        yield f"{len(gone)} of the {segments} of {path} {are} not there ({names}): the recording has a gap for each"
