"""The pixel aspect ratio, which a decoder gives for the newest picture that it has started, not for the one it outputs."""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext
from msgspec.structs import replace

from engine.contracts.recording import Appearance

_REMEMBERED = 64
"""Most packets whose pictures may still come out."""
_Size = tuple[int, int]
_FIELDS_ALONE = "hevc"
"""The codec whose pictures are flagged as interlaced even if each is a single field, of half the height."""


def shown_fields(appearance: Appearance, codec_name: str) -> Appearance:
    """Return how to show the pictures of a codec: if each is a field, there is nothing to deinterlace."""
    if codec_name == _FIELDS_ALONE and appearance.deinterlace == "auto":
        return replace(appearance, deinterlace="off")
    return appearance


def shape_of(picture: av.VideoFrame, told: Fraction | None, codec_name: str) -> Fraction | None:
    """Return width over height of a picture's pixels, None if unknown; those of a field are twice as high as the whole
    picture's.

    Args:
        picture: as decoded.
        told: ratio of the whole picture's pixels; None: unknown.
        codec_name: FFmpeg's name of the decoder.
    """
    is_field = picture.interlaced_frame and codec_name == _FIELDS_ALONE
    return (told or Fraction(1)) / 2 if is_field else told


class PixelShape:
    """Tracks the pixel shape of one recording: ``note`` each packet once it is decoded, then ask about each picture that comes
    out.

    Args:
        fixed: width over height of a pixel, if the container gives it for all pictures.
    """

    def __init__(self, fixed: Fraction | None) -> None:
        self._fixed = fixed
        self._codec_name = ""
        self._newest: Fraction | None = None
        self._by_stamp: OrderedDict[int, tuple[_Size, Fraction | None]] = OrderedDict()
        self._by_size: dict[_Size, Fraction | None] = {}

    def note(self, packet: av.Packet[Any] | None, context: VideoCodecContext) -> None:
        """Note a decoded packet, None at the end, and what its decoder knows by then."""
        size, shape = (context.width, context.height), context.sample_aspect_ratio
        self._codec_name, self._newest = context.name, shape
        self._by_size[size] = shape
        if packet is not None and packet.pts is not None:
            self._by_stamp[packet.pts] = size, shape
            if len(self._by_stamp) > _REMEMBERED:
                self._by_stamp.popitem(last=False)

    def of(self, picture: av.VideoFrame) -> Fraction | None:
        """Return width over height of a picture's pixels; None if unknown."""
        if self._fixed is not None:
            return self._fixed
        return shape_of(picture, self._told_of(picture), self._codec_name)

    def _told_of(self, picture: av.VideoFrame) -> Fraction | None:
        size = picture.width, picture.height
        told = self._by_stamp.get(picture.pts) if picture.pts is not None else None
        if told is not None and told[0] == size:  # stamps occur twice if files were joined
            return told[1]
        return self._by_size.get(size, self._newest)
