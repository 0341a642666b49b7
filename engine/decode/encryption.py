"""Recognises encrypted recordings, which otherwise look broken."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.decode.mp4_boxes import boxes, inside, movie_box
from engine.decode.playlist import is_locked, is_playlist, locks

_LOOKED_AT_BYTES = 1 << 20
_MP4_MARKS = (b"sinf", b"schm", b"encv", b"pssh", b"senc", b"drmi")
"""Boxes of ISO common encryption (ISO/IEC 23001-7), and of Apple's earlier DRM."""
_MP4_STARTS = (b"ftyp", b"styp", b"moof", b"sidx", b"moov", b"pssh", b"mdat", b"wide", b"free", b"skip")
_ASF_MARKS = (bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"), bytes.fromhex("14e68a292226174cb935dae07ee9289c"))
"""The content encryption objects of Windows Media."""
_TS_PACKET_BYTES, _TS_SYNC = 188, 0x47
_TS_SCRAMBLED = 0xC0
_MOST_SCRAMBLED = 0.5
HOW = "decrypt it first, or export it again without protection"


def is_encrypted_packet(packet: av.Packet[Any]) -> bool:
    """Whether a packet's content is encrypted (MP4 with common encryption)."""
    return packet.has_sidedata("encryption_info")


def encryption_of_stream(path: Path, container: InputContainer, stream: VideoStream) -> str:
    """Return the kind of encryption that an open file declares for its video; empty if none."""
    if "enc_key_id" in stream.metadata:
        return "WebM encryption"
    return encryption_of_file(path) if container.format.name == "asf" else ""


def encryption_of_file(path: Path) -> str:
    """Return the kind of encryption that a file's bytes reveal; empty if none, or if the file cannot be read.

    Args:
        path: of a file that could not be opened, or whose packets gave no picture.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT_BYTES)
    except (OSError, ValueError):
        return ""
    if is_playlist(path) and is_locked(path):
        return "HLS encryption"
    if start[4:8] in _MP4_STARTS and _is_marked(path, start):
        return "common encryption"
    if any(mark in start for mark in _ASF_MARKS):
        return "Windows Media DRM"
    if _is_scrambled(start):
        return "scrambled transport stream"
    return "HLS encryption" if locks(path) else ""


def _is_marked(path: Path, start: bytes) -> bool:
    try:  # the index may come last
        tracks = [track for kind, track in boxes(movie_box(path)) if kind == b"trak"]
    except (OSError, ValueError, struct.error):
        tracks = []
    entries = [start, *(inside(track, b"mdia", b"minf", b"stbl", b"stsd") for track in tracks)]
    return any(mark in entry for entry in entries for mark in _MP4_MARKS)


def _is_scrambled(start: bytes) -> bool:
    """Whether most packets of a transport stream have their scrambling bits set."""
    first = next((offset for offset in range(_TS_PACKET_BYTES) if _syncs_at(start, offset)), None)
    if first is None:
        return False
    packets = range(first, len(start) - _TS_PACKET_BYTES, _TS_PACKET_BYTES)
    scrambled = sum(start[at] == _TS_SYNC and bool(start[at + 3] & _TS_SCRAMBLED) for at in packets)
    return scrambled > _MOST_SCRAMBLED * max(1, len(packets))


def _syncs_at(start: bytes, offset: int) -> bool:
    marks = start[offset : offset + 8 * _TS_PACKET_BYTES : _TS_PACKET_BYTES]
    return len(marks) == 8 and set(marks) == {_TS_SYNC}
