"""Decodes the packets of one connection without holding pictures back, in hardware if that works."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
from av.codec.context import CodecContext
from av.codec.context import Flags as CodecFlags
from av.codec.hwaccel import HWAccel
from av.video.codeccontext import VideoCodecContext

from engine.decode.hwaccel import choose_hwaccel
from engine.decode.strictness import ask_to_refuse, refuse_immense
from engine.pictures.blocks import ask_for_blocks

_REORDERED = {"hevc"}
"""Decoders that give no picture at all if a reference is missing, instead of one with concealed errors."""
_MANNERS = 2
"""Number of key frames refused from the start, with none accepted, after which damage is ruled out."""


class PictureDecoder:
    """Decodes one connection. Each connection needs a new one: decoders do not always recover from a loss.

    Args:
        context: of the stream, from its container; used and owned by this object, even after the container is closed.
        hwaccel: ``auto``, ``none``, ``cuda`` or ``vaapi``.
        motion: see ``ask_for_blocks``.
    """

    def __init__(self, context: VideoCodecContext, hwaccel: str, *, motion: bool = False) -> None:
        ask_for_blocks(context, motion=motion)
        self._software, self._refuses = context, ask_to_refuse(context)
        self._keys_refused = 0
        accelerator, self.note = choose_hwaccel(hwaccel, context.name)
        self._context = _quick(context)
        self._accelerated = accelerator is not None
        self._worked = False
        if accelerator is not None:
            self._context = _quick(_another(context, accelerator))

    @property
    def codec_name(self) -> str:
        return self._context.name

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Width over height of a pixel by the newest picture; None if it does not say."""
        return self._context.sample_aspect_ratio or None

    @property
    def intra_only(self) -> bool:
        """Whether every picture is a key frame."""
        return bool(self._context.codec.intra_only)

    @property
    def owes_pictures(self) -> bool:
        """Whether a packet that gives no picture means that one was lost."""
        return self.codec_name in _REORDERED and self._context.reorder_depth == 0

    def decode(self, packet: av.Packet[Any], *, passing: bool = False) -> list[av.VideoFrame]:
        """Return the pictures that a packet completes; none is held back except by the stream's own reordering.

        Args:
            packet: the next one.
            passing: its picture is of no interest, and is skipped if no other depends on it.

        Raises:
            av.error.FFmpegError: the packet cannot be decoded.
            ValueError: likewise.
        """
        self._context.skip_frame = "NONREF" if passing else "DEFAULT"
        try:
            pictures = self._context.decode(packet)
        except (av.error.FFmpegError, ValueError):
            if self._worked or not (self._accelerated or self._is_strange(packet)):
                raise
            if self._accelerated:  # the driver exists but refuses this stream, by its size or profile, or has no session free
                self._accelerated, self._context = False, _quick(self._software)
                self.note = "decoded in software: the hardware refuses this stream"
            else:
                self._refuses, self._context = False, _quick(_another(self._software))
            pictures = self._context.decode(packet)
        self._worked = self._worked or bool(pictures)
        return pictures

    def _is_strange(self, packet: av.Packet[Any]) -> bool:
        """Whether so many key frames were refused that it is not damage but the way they are written."""
        self._keys_refused += self._refuses and packet.is_keyframe
        return self._refuses and self._keys_refused >= _MANNERS

    def forget(self) -> None:
        """Start again at the next packet, which must be a key frame."""
        self._context.flush_buffers()


_IN_ORDER_OF_PACKETS = ("mpeg1video", "mpeg2video", "mpeg4", "vc1")
"""With ``low_delay`` these decoders output pictures in packet order, which is wrong for B-pictures."""


def _another(context: VideoCodecContext, accelerator: HWAccel | None = None) -> VideoCodecContext:
    """Return a context of the same stream with FFmpeg's default settings."""
    other = cast(VideoCodecContext, CodecContext.create(context.name, "r", hwaccel=accelerator))
    other.extradata = context.extradata
    return other


def _quick(context: VideoCodecContext) -> VideoCodecContext:
    """Set up a context so that a packet's picture comes out at once, or in order; frame threads would hold some back."""
    context.thread_count = 1
    context.thread_type = "SLICE"
    refuse_immense(context)
    if context.name not in _IN_ORDER_OF_PACKETS:
        context.flags |= CodecFlags.low_delay
    return context
