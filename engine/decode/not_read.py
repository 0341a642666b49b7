"""What FFmpeg silently leaves out of a recording: recordings appended to it, as with ``cat``, and missing segments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from av.container import InputContainer

from engine.decode.late_start import ASF_HEADER
from engine.decode.mp4_boxes import outermost
from engine.decode.playlist import missing_from, segments_of
from engine.decode.transport_stream import changes_of_video
from engine.words.lists import some_of
from engine.words.numbers import count

_HEADERS = {"flv": b"FLV\x01", "ivf": b"DKIF\0\0 \0", "yuv4mpegpipe": b"YUV4MPEG2 ", "nut": b"nut/multimedia container"}
"""First bytes of a recording, by FFmpeg's name of the container."""
_READ_ON = {
    "matroska,webm": re.compile(rb"\x1a\x45\xdf\xa3.{1,8}\x42\x86\x81\x01", re.DOTALL),
    "nut": re.compile(re.escape(_HEADERS["nut"])),
}
"""Headers of containers in which FFmpeg reads on, as if a second file were more of the first."""
_JOINED, _HOW = "another recording behind the first, as `cat` joins them", "give each as a file of its own"
_MOST_OF_A_FILE = 0.9
"""Share of a transport stream that is read at least if it holds one video: nothing follows its last packets."""
_BETWEEN_BYTES = 4096
"""More bytes than lie between the last picture and an appended file."""
_BLOCK_BYTES, _HEADER_BYTES, _MOST_BLOCKS = 1 << 20, 64, 2048
"""Chunk size in which a header is searched for, and how far: the process must not seem stuck meanwhile."""
_MOST_PIECES = 100_000
"""Most boxes that are examined: a file with very many is fragmented, and read on."""


def not_read(
    path: Path, container: InputContainer, read_to_byte: int, codec: str = "", *, looks_damaged: bool = False
) -> Iterator[str]:
    """Yield sentences on what a user should know about a recording that was read to its end.

    Args:
        path: of the file.
        container: still open.
        read_to_byte: end of the last payload that was read, 0: unknown.
        codec: FFmpeg's name of the codec that was read.
        looks_damaged: whether some of it could not be decoded, or only in part, as may happen with an appended file.
    """
    kind = container.format.name
    try:
        if kind == "hls":
            yield from _missing_segments(path)
        elif goes_on(path, kind, read_to_byte):
            yield f"{path} holds {_JOINED}: only the first was read; {_HOW}"
        elif looks_damaged and _begins_again(path, kind):
            yield f"{path} holds {_JOINED}: it was read as more of the first, and does not fit; {_HOW}"
        elif kind == "mpegts" and (looks_damaged or read_to_byte < _MOST_OF_A_FILE * path.stat().st_size):
            yield from _other_videos(path, codec)
    except OSError:
        return  # it was read, although what lies beside it cannot be determined any more


def goes_on(path: Path, kind: str, read_to_byte: int) -> bool:
    """Whether another recording begins where the last payload of a file ends, in a container of which FFmpeg reads only the
    first.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if header := _HEADERS.get(kind):
            file.seek(read_to_byte)
            return header in file.read(_BETWEEN_BYTES)
        if kind == "asf":
            return sum(name == ASF_HEADER for name in _asf_objects(file)) > 1
        if kind.startswith("mov,mp4"):
            return any(box.kind == b"ftyp" and box.place >= read_to_byte > 0 for box in outermost(file))
    return False


def _begins_again(path: Path, kind: str) -> bool:
    """Whether a file in which FFmpeg reads on contains a second header."""
    if (header := _READ_ON.get(kind)) is None:
        return False
    with path.open("rb") as file:
        data = file.read(_BLOCK_BYTES)[1:]
        for _ in range(_MOST_BLOCKS):
            if header.search(data):
                return True
            if not (block := file.read(_BLOCK_BYTES)):
                break
            data = data[-_HEADER_BYTES:] + block
    return False


def _asf_objects(file: BinaryIO) -> Iterator[bytes]:
    """Yield the identifiers of the top-level objects."""
    place, end = 0, os.fstat(file.fileno()).st_size
    for _ in range(_MOST_PIECES):
        file.seek(place)
        head = file.read(24)
        size = int.from_bytes(head[16:], "little")
        if len(head) < 24 or size < 24:
            return
        yield head[:16]
        if place + size > end:
            return
        place += size


def _other_videos(path: Path, codec: str) -> Iterator[str]:
    videos = changes_of_video(path)
    if codecs := list(dict.fromkeys(video.codec for video in videos)):
        what = f"changes its codec ({some_of(codecs)}): only what is {codec}"
        if len(codecs) == 1:
            pids = list(dict.fromkeys(f"{video.pid:#x}" for video in videos))
            what = f"goes on in another stream (PID {some_of(pids)}): only the first"
        yield f"{path} {what} was read; cut it there, and {_HOW}"


def _missing_segments(path: Path) -> Iterator[str]:
    if gone := missing_from(path):
        are = "is" if len(gone) == 1 else "are"
        segments = count(len(segments_of(path)), "segment")
        yield f"{len(gone)} of the {segments} of {path} {are} not there ({some_of(gone)}): each leaves a gap in the recording"
