"""The shape of pixels, which a decoder tells of the newest picture that it has begun, not of the one that comes out."""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext

_REMEMBERED = 64
"""Packets whose pictures may still come."""
_Size = tuple[int, int]
FIELDS_ALONE = "hevc"
"""The codec whose pictures are flagged as interlaced where each is a field: of half the height, and of one time."""


class PixelShape:
    """Follow one recording: ``note`` each packet once it is decoded, then ask about each picture that comes out.

    Args:
        context: of its decoder.
        fixed: width to height of a pixel where the container says one for all pictures.
    """

    def __init__(self, context: VideoCodecContext, fixed: Fraction | None) -> None:
        self._context, self._fixed = context, fixed
        self._by_stamp: OrderedDict[int, tuple[_Size, Fraction | None]] = OrderedDict()
        self._by_size: dict[_Size, Fraction | None] = {}

    def note(self, packet: av.Packet[Any] | None) -> None:
        """Take note of a packet that was decoded, None at the end."""
        size, shape = (self._context.width, self._context.height), self._context.sample_aspect_ratio
        self._by_size[size] = shape
        if packet is not None and packet.pts is not None:
            self._by_stamp[packet.pts] = size, shape
            if len(self._by_stamp) > _REMEMBERED:
                self._by_stamp.popitem(last=False)

    def of(self, picture: av.VideoFrame) -> Fraction | None:
        """Return width to height of a picture's pixels, None where unknown."""
        if self._fixed is not None:
            return self._fixed
        told = self._told_of(picture)
        is_field = picture.interlaced_frame and self._context.name == FIELDS_ALONE
        return (told or Fraction(1)) / 2 if is_field else told

    def _told_of(self, picture: av.VideoFrame) -> Fraction | None:
        size = picture.width, picture.height
        told = self._by_stamp.get(picture.pts) if picture.pts is not None else None
        if told is not None and told[0] == size:  # stamps come twice where files were joined
            return told[1]
        return self._by_size.get(size, self._context.sample_aspect_ratio)
