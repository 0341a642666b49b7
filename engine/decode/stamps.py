"""When pictures are shown, also where a container tells only when they are decoded.

AVI numbers its packets as they are decoded. Where codecs show pictures in another order FFmpeg's own time stamps of AVI belong
to the decoding too (H.264), or are the parser's guess; what is shown first was decoded first all the same.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any

import av
from av.container import Container, InputContainer
from av.video.stream import VideoStream

from engine.decode.h264_order import LOOKED_AT_BYTES, H264Order

_NUMBER_DECODING = {"avi"}


def tells_showing(container: Container) -> bool:
    """Whether time stamps say when a picture is shown."""
    return container.format.name not in _NUMBER_DECODING


def stamp_of(packet: av.Packet[Any], container: InputContainer) -> int | None:
    """Return a packet's time stamp, in units of its stream: all of a recording's, sorted, are those of its pictures as they are
    shown. None: it has none.
    """
    return packet.pts if tells_showing(container) else packet.dts


class SecondFields:
    """Tells the packets that hold the second field of a picture, where they are numbered by themselves: H.264 that is coded in
    fields, in AVI.

    Args:
        stream: of a recording.
    """

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        is_numbered = context.name == "h264" and not tells_showing(stream.container)
        self._order = H264Order(context.extradata) if is_numbered else None

    def has(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet is one; ask about each, in the order of the file."""
        if self._order is None:
            return False
        self._order.gap_before(bytes(memoryview(packet)[:LOOKED_AT_BYTES]))
        return self._order.is_second_field


class Stamps:
    """Give the pictures of one recording their time stamps: ``feed`` each packet that is decoded, then ask about each picture
    that comes out.

    Args:
        stream: of the recording.
        skips: the decoder leaves pictures out of itself.
    """

    def __init__(self, stream: VideoStream, *, skips: bool) -> None:
        self._follows = not tells_showing(stream.container) and not skips
        self._second_fields = SecondFields(stream)
        self._waiting: list[int] = []
        """A heap of the stamps of packets whose pictures have not come out."""
        self._newest: int | None = None
        self._decoded_at: dict[int, int] = {}
        """Of packets that may be key frames: their stamp by what FFmpeg gives their picture."""

    def feed(self, packet: av.Packet[Any] | None) -> None:
        """Take note of a packet, None at the end."""
        if packet is None or packet.dts is None or not self._follows:
            return
        if self._second_fields.has(packet):
            self._newest = None  # the first one has told when their picture is shown
            return
        self._newest = packet.dts
        heappush(self._waiting, packet.dts)
        if packet.is_keyframe and packet.pts is not None:
            self._decoded_at = {packet.pts: packet.dts}

    def refuse(self) -> None:
        """No picture comes of the newest packet."""
        if self._newest in self._waiting:
            self._waiting.remove(self._newest)
            heapify(self._waiting)

    def of(self, picture: av.VideoFrame) -> tuple[int | None, int | None]:
        """Return a picture's time stamp, and what its time is counted by: where it has none, when it was decoded."""
        if not self._follows:
            return picture.pts, picture.dts if picture.pts is None else picture.pts
        if picture.key_frame and picture.pts in self._decoded_at:
            # What was decoded before a key frame and has not come out does not come out any more.
            key = self._decoded_at[picture.pts]
            self._waiting = [stamp for stamp in self._waiting if stamp >= key]
            heapify(self._waiting)
        stamp = heappop(self._waiting) if self._waiting else picture.dts
        return stamp, stamp
