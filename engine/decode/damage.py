"""Which pictures of a recording are intact.

A loss harms all pictures up to the next key frame, because they are predicted from each other; before the first key frame there
is nothing to predict from.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, TypeVar, cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from engine.decode.h264_order import H264Order
from engine.decode.nal_units import LOOKED_AT_BYTES
from engine.decode.torn import Torn

_BEGINS_ANYWHERE = {
    "cavs", "flv", "h263", "h263p", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "rv10", "rv20",
    "rv30", "rv40", "vc1", "vc1image", "wmv1", "wmv2", "wmv3",
}  # fmt: skip
"""Decoders that output grey smears if they start between key frames; the others wait for a key frame or the like."""
_REMEMBERED = 64
"""Most packets whose pictures may still come out."""
_NO_TIME = -(1 << 62)
"""A packet without a time of its own gets this plus its number as its time; no recording starts so early."""


_Known = TypeVar("_Known")


class Damage:
    """Tracks damage in one recording: ``feed`` each packet before it is decoded, then ask about each picture that comes out.

    A packet without a time, as in a bare stream, or with the time of another, is decoded with its number as its time, and
    ``hand_back`` gives the picture the right one. FFmpeg's ``copy_opaque`` would carry the number, too, but in PyAV it may
    deadlock when a decoder with frame threads is closed.

    Args:
        context: of the decoder.
    """

    def __init__(self, context: VideoCodecContext) -> None:
        self._waits_for_key = context.name in _BEGINS_ANYWHERE
        self._intra_only = bool(context.codec.intra_only)
        self._order = H264Order(context.extradata) if context.name == "h264" else None
        self._torn = Torn(context.name, context.extradata)
        self._has_begun = False
        self.left_out = 0
        """Number of pictures before the first that can be decoded, as far as known."""
        self._fed = 0
        self._fed_at: OrderedDict[int, int] = OrderedDict()
        """Numbers of the newest packets, by presentation time."""
        self._times: OrderedDict[int, int | None] = OrderedDict()
        """Times of the newest packets that were given their number instead, by that."""
        self._first_key = 0
        """Number of the first packet at which decoding can start; 0: none yet."""
        self._lost_from: int | None = None
        """Number of the packet from which on pictures are damaged."""
        self._lost_at = 0
        """The newest lost or damaged packet: a key frame after it ends the damage."""
        self._damaged_at: deque[int] = deque(maxlen=_REMEMBERED)
        """Damaged packets; their pictures may still come out."""

    def feed(self, packet: av.Packet[Any] | None) -> None:
        """Note a packet, None at the end. If it has no time of its own it is given its number."""
        missing = packet is not None and self._is_gap_before(packet)
        if packet is None or packet.is_discard:
            return
        is_torn = self._torn.is_in(packet)
        self._fed += 1
        if packet.pts is None or packet.pts in self._fed_at:
            number = _NO_TIME + self._fed
            _note(self._times, number, packet.pts)
            packet.pts = number
        _note(self._fed_at, packet.pts, self._fed)
        if packet.is_keyframe and not self._first_key:
            self._first_key = self._fed
        if (packet.is_corrupt or missing) and not packet.is_keyframe:
            self._lose()
        if is_torn:
            self.refuse()

    def _is_gap_before(self, packet: av.Packet[Any]) -> bool:
        if self._order is None:
            return False
        if packet.has_sidedata("new_extradata"):
            self._order = H264Order(bytes(packet.get_sidedata("new_extradata")))
        return self._order.gap_before(bytes(memoryview(packet)[:LOOKED_AT_BYTES]))

    def refuse(self) -> None:
        """Note that the newest packet is damaged: it gives no picture, or a concealed one."""
        self._lose()
        self._damaged_at.append(self._fed)

    def _lose(self, at: int | None = None) -> None:
        at = self._fed if at is None else at
        self._lost_from = at if self._lost_from is None else min(self._lost_from, at)
        self._lost_at = max(self._lost_at, at)

    def is_too_early(self, picture: av.VideoFrame) -> bool:
        """Whether a picture comes before the first that can be decoded."""
        if self._has_begun:
            return False
        if self._waits_for_key and not _is_key(picture):
            self.left_out += 1
            return True
        self._has_begun = True
        # Other decoders silently skip packets at which they cannot start.
        self.left_out = max(self.left_out, self._fed_before(picture))
        return False

    def _fed_before(self, picture: av.VideoFrame) -> int:
        """Return how many packets came before a picture's, without those shown later, which are references."""
        number = self._fed_at_of(picture)
        if _has_no_time(picture):  # for decoders that do not wait for references, only a key frame is certain
            return max(0, (number if _is_key(picture) else self._first_key) - 1)
        return number - 1 - sum(one < number and at > cast(int, picture.pts) for at, one in self._fed_at.items())

    def harms(self, picture: av.VideoFrame) -> bool:
        """Whether a picture, or one that it is predicted from, is damaged."""
        fed_at = self._fed_at_of(picture)
        if picture.is_corrupt and not self._intra_only:
            self._lose(fed_at)
        elif _is_key(picture) and fed_at > self._lost_at:
            self._lost_from = None
        builds_on_it = self._lost_from is not None and fed_at >= self._lost_from and not self._intra_only
        return self.is_in(picture) or builds_on_it

    def is_in(self, picture: av.VideoFrame) -> bool:
        """Whether parts of the picture itself were concealed."""
        return bool(picture.is_corrupt) or self._fed_at_of(picture) in self._damaged_at

    def _fed_at_of(self, picture: av.VideoFrame) -> int:
        return self._fed if picture.pts is None else self._fed_at.get(picture.pts, self._fed)

    def hand_back(self, picture: av.VideoFrame) -> None:
        """Give a picture about which nothing more will be asked its own time, if it has the number of its packet instead."""
        if picture.pts is not None and _has_no_time(picture):
            picture.pts = self._times.get(picture.pts)


def _note(known: OrderedDict[int, _Known], stamp: int, value: _Known) -> None:
    known[stamp] = value
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


def _has_no_time(picture: av.VideoFrame) -> bool:
    return picture.pts is None or picture.pts < _NO_TIME // 2


def _is_key(picture: av.VideoFrame) -> bool:
    return bool(picture.key_frame) or picture.pict_type == PictureType.I
