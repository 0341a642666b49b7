"""Motion JPEG of capture cards: a packet holds two fields, each with every other line, taken one after the other.

FFmpeg weaves them into one picture, but does not flag it as interlaced. It also ignores the marker that says which field has
the upper lines: it assumes the second in AVI, and the first elsewhere.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.filter import Graph

_TICK = Fraction(1, 1000)
"""A filter graph needs a time base; time stamps pass unchanged."""
_MOST_OF_A_PICTURE = 0.75
"""FFmpeg's rule: a JPEG of less height is one of two fields."""
_LOOKED_AT_BYTES = 1 << 16
_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_APPLICATION, _MARK = 0xE0, b"AVI1"
_ORDERS = {1: "tff", 2: "bff"}
"""Identifier after the marker."""


class FieldPairs:
    """Flags the pictures of one stream that are woven from two fields.

    Args:
        codec_name: FFmpeg's name of the decoder.
    """

    def __init__(self, codec_name: str) -> None:
        self._is_jpeg = codec_name == "mjpeg"
        self._graph: Graph | None = None
        self._key: tuple[object, ...] = ()

    def flagged(self, packet: av.Packet[Any], picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture of a packet; if it is woven, it is flagged as interlaced and its lines are in the right order."""
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
    """Return the height in a JPEG's header, 0 if it is not found, and the field order by the marker."""
    at, order = 2, ""
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        kind, body = jpeg[at + 1], at + 4
        if kind in _FRAME_HEADERS:
            return int.from_bytes(jpeg[body + 1 : body + 3], "big"), order
        if kind == _APPLICATION and jpeg[body : body + 4] == _MARK:
            order = _ORDERS.get(jpeg[body + 4], "")
        at += 1 if kind == 0xFF else 2 + int.from_bytes(jpeg[at + 2 : body], "big")
    return 0, order
