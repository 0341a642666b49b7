"""When pictures of a damaged AVI are shown: FFmpeg counts those that it finds, and so goes too slowly behind lost ones."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import av
from av.container import InputContainer

_HEAD_BYTES = 8
"""Of a chunk, before what a packet holds; the index counts it in."""


class AviTimes:
    """Correct the packets of one reading, in their order, by what the file's index says of the places where they lie.

    Args:
        container: of the recording.
    """

    def __init__(self, container: InputContainer) -> None:
        is_avi = container.format.name == "avi"
        self._indices = {stream.index: stream.index_entries for stream in container.streams.video} if is_avi else {}
        self._late = dict.fromkeys(self._indices, 0)
        """By how many pictures the count is behind."""

    def correct(self, packet: av.Packet[Any]) -> av.Packet[Any]:
        """Return a packet with the time that it should have; one of sound, or of which the index says nothing, follows."""
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
