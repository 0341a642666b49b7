"""Presentation times of pictures, even if a container gives only decoding times.

AVI numbers its packets in decoding order, and recorders stamp those of DAV when they write them. If the codec reorders
pictures, FFmpeg's own time stamps of AVI are decoding times too (H.264), or the parser's guess; the sorted times are still the
presentation times.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any

import av
from av.container import Container
from av.video.stream import VideoStream

from engine.decode.h264_order import H264Order
from engine.decode.nal_units import LOOKED_AT_BYTES

_AVI, _DAV = "avi", "dhav"


def tells_showing(container: Container) -> bool:
    """Whether time stamps are presentation times."""
    return container.format.name not in (_AVI, _DAV)


def stamp_of(packet: av.Packet[Any], container: Container) -> int | None:
    """Return a packet's time stamp, in units of its stream; None: it has none. Sorted, those of a recording are the
    presentation times of its pictures.
    """
    return packet.dts if container.format.name == _AVI else packet.pts


class SecondFields:
    """Recognises packets with the second field of a picture if fields have numbers of their own: field-coded H.264 in AVI.

    Args:
        stream: of a recording.
    """

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        is_numbered = context.name == "h264" and not tells_showing(stream.container)
        self._order = H264Order(context.extradata) if is_numbered else None

    def has(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet holds a second field; ask about each, in the order of the file."""
        if self._order is None:
            return False
        self._order.gap_before(bytes(memoryview(packet)[:LOOKED_AT_BYTES]))
        return self._order.is_second_field


class Stamps:
    """Gives the pictures of one recording their time stamps: ``feed`` each packet that is decoded, then ask about each picture
    that comes out.

    Args:
        stream: of the recording.
        skips: whether the decoder itself skips pictures.
    """

    def __init__(self, stream: VideoStream, *, skips: bool) -> None:
        self._container = stream.container
        self._follows = not tells_showing(stream.container) and not skips
        self._second_fields = SecondFields(stream)
        self._waiting: list[int] = []
        """Heap of the stamps of packets whose pictures have not come out yet."""
        self._newest: int | None = None
        self._decoded_at: dict[int, int] = {}
        """Stamps of packets that may be key frames, by the time that FFmpeg gives their picture."""

    def feed(self, packet: av.Packet[Any] | None) -> None:
        """Note a packet, None at the end."""
        stamp = None if packet is None or not self._follows else stamp_of(packet, self._container)
        if packet is None or stamp is None:
            return
        if self._second_fields.has(packet):
            self._newest = None  # the first field has the presentation time of their picture
            return
        self._newest = stamp
        heappush(self._waiting, stamp)
        if packet.is_keyframe and packet.pts is not None:
            self._decoded_at = {packet.pts: stamp}

    def refuse(self) -> None:
        """Note that the newest packet gives no picture."""
        if self._newest in self._waiting:
            self._waiting.remove(self._newest)
            heapify(self._waiting)

    def of(self, picture: av.VideoFrame) -> tuple[int | None, int | None]:
        """Return a picture's time stamp, None if it has none, and the stamp that the clock uses: the decoding time if there is
        no other.
        """
        if not self._follows:
            return picture.pts, picture.dts if picture.pts is None else picture.pts
        if picture.key_frame and picture.pts in self._decoded_at:
            # Pictures decoded before a key frame that have not come out by now never will.
            key = self._decoded_at[picture.pts]
            self._waiting = [stamp for stamp in self._waiting if stamp >= key]
            heapify(self._waiting)
        stamp = heappop(self._waiting) if self._waiting else picture.dts
        return stamp, stamp
