"""Presentation times of a damaged AVI: FFmpeg counts the pictures that it finds, so times are too early after lost ones."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import av
from av.container import InputContainer

_HEAD_BYTES = 8
"""Size of a chunk's header before the packet; the index includes it."""


class AviTimes:
    """Corrects the times of packets, in their order, by the index entries for their positions in the file.

    Args:
        container: of the recording.
    """

    def __init__(self, container: InputContainer) -> None:
        is_avi = container.format.name == "avi"
        self._indices = {stream.index: stream.index_entries for stream in container.streams.video} if is_avi else {}
        self._late = dict.fromkeys(self._indices, 0)
        """Number of pictures by which FFmpeg's count is behind."""

    def correct(self, packet: av.Packet[Any]) -> av.Packet[Any]:
        """Return a packet with its corrected time; one of sound, or without an index entry, is shifted like the others."""
        number = packet.stream.index
        if (index := self._indices.get(number)) is None or packet.dts is None:
            return packet
        if packet.pos is not None:
            place = packet.pos - _HEAD_BYTES
            at = bisect_left(index, place, key=lambda entry: entry.pos)
            if at < len(index) and index[at].pos == place:
                self._late[number] = max(0, index[at].timestamp - packet.dts)
        if late := self._late[number]:
            packet.dts += late
            packet.pts = None if packet.pts is None else packet.pts + late
        return packet
