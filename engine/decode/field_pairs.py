"""Motion JPEG of capture cards: a packet holds two pictures, of every other line each, taken one after the other.

FFmpeg weaves them into one, and does not flag it as interlaced. It does not look at the mark by which they say which has the
upper lines either: it takes the second one for that in AVI, and the first one elsewhere.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.filter import Graph

_TICK = Fraction(1, 1000)
"""A graph wants a time base; time stamps pass as they are."""
_MOST_OF_A_PICTURE = 0.75
"""As FFmpeg decides: a JPEG that is not so high is one of two."""
_LOOKED_AT_BYTES = 1 << 16
_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_APPLICATION, _MARK = 0xE0, b"AVI1"
_ORDERS = {1: "tff", 2: "bff"}
"""What stands behind the mark."""


class FieldPairs:
    """Flags the pictures of one stream that are woven of two.

    Args:
        codec_name: as FFmpeg calls the decoder.
    """

    def __init__(self, codec_name: str) -> None:
        self._is_jpeg = codec_name == "mjpeg"
        self._graph: Graph | None = None
        self._key: tuple[object, ...] = ()

    def flagged(self, packet: av.Packet[Any], picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture of a packet, where it is woven flagged as interlaced, and each line in its place."""
        if not self._is_jpeg:
            return picture
        height, order = _told_by(bytes(memoryview(packet)[:_LOOKED_AT_BYTES]))
        if not 0 < height < _MOST_OF_A_PICTURE * picture.height:
            return picture
        woven = "bff" if packet.stream.container.format.name == "avi" else "tff"
        key = picture.width, picture.height, picture.format.name, order
        if self._graph is None or self._key != key:
            self._graph, self._key = _graph(picture, order or woven, swap=order not in ("", woven)), key
        self._graph.vpush(picture)
        return self._graph.vpull()


def _graph(picture: av.VideoFrame, order: str, *, swap: bool) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=_TICK)
    swapping = [graph.add("il", "luma_swap=1:chroma_swap=1")] if swap else []
    graph.link_nodes(source, *swapping, graph.add("setfield", f"mode={order}"), graph.add("buffersink"))
    graph.configure()
    return graph


def _told_by(jpeg: bytes) -> tuple[int, str]:
    """Return the height that a picture says it has, 0 where that is not found, and by the mark which lines come first."""
    at, order = 2, ""
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        kind, body = jpeg[at + 1], at + 4
        if kind in _FRAME_HEADERS:
            return int.from_bytes(jpeg[body + 1 : body + 3], "big"), order
        if kind == _APPLICATION and jpeg[body : body + 4] == _MARK:
            order = _ORDERS.get(jpeg[body + 4], "")
        at += 1 if kind == 0xFF else 2 + int.from_bytes(jpeg[at + 2 : body], "big")
    return 0, order
