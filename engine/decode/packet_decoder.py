"""Decodes the packets of one recording, and tells which pictures were concealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import av
from av.video.codeccontext import VideoCodecContext

from engine.config import DecodeConfig
from engine.decode.field_pairs import FieldPairs
from engine.decode.strictness import ask_to_refuse, refuse_immense
from engine.pictures.blocks import ask_for_blocks

_SKIP: dict[str, Literal["DEFAULT", "NONREF", "NONKEY"]] = {"none": "DEFAULT", "nonref": "NONREF", "nonkey": "NONKEY"}
_MANNERS = 25
"""If this many pictures are refused from the start, and none accepted, it is not damage but the way they are written."""


class PacketDecoder:
    """Decodes strictly, but leniently for pictures that stand alone, or if the stream is refused from its first key frame on.

    Args:
        context: of the stream, not open yet.
        config: threads and skipping.
        spare: returns another context of the same stream; called once, if needed.
    """

    def __init__(self, context: VideoCodecContext, config: DecodeConfig, spare: Callable[[], VideoCodecContext]) -> None:
        self._config, self._spare = config, spare
        self._lenient: VideoCodecContext | None = None
        self._stands_alone = bool(context.codec.intra_only)
        self._accepted, self._refused = False, 0
        self._prepare(context)
        self.is_strict = False
        """Whether it refuses damaged packets; known once it has decoded."""
        self._pairs = FieldPairs(context.name)
        self.context = context
        """The context that decoded the newest packet."""

    def decode(self, packet: av.Packet[Any] | None) -> tuple[list[av.VideoFrame], bool]:
        """Return the pictures that a packet completes (None: flush), and whether they were concealed.

        Raises:
            av.error.FFmpegError: the packet cannot be decoded; its picture may come out nevertheless.
            ValueError: likewise.
        """
        pictures, are_guessed = self._decode(packet)
        return [self._pairs.flagged(packet, one) if packet else one for one in pictures], are_guessed

    def _decode(self, packet: av.Packet[Any] | None) -> tuple[list[av.VideoFrame], bool]:
        if packet is not None and not self.context.is_open:
            self.is_strict = ask_to_refuse(self.context, packet)
        if not self.is_strict or packet is None:
            return self.context.decode(packet), False
        try:
            pictures = self.context.decode(packet)
        except (av.error.FFmpegError, ValueError):
            if self._stands_alone:
                return self._guess(packet), True
            if self._accepted:
                raise
            if not packet.is_keyframe:  # the stream starts between key frames
                return [], False
            self.context, self.is_strict = self._other(), False
            return self.context.decode(packet), True
        self._accepted = True
        return pictures, False

    def _guess(self, packet: av.Packet[Any]) -> list[av.VideoFrame]:
        pictures = self._other().decode(packet)
        self._refused += 1
        if not self._accepted and self._refused == _MANNERS:
            self.context, self.is_strict = self._other(), False
        return pictures

    def _other(self) -> VideoCodecContext:
        if self._lenient is None:
            self._lenient = self._spare()
            self._prepare(self._lenient)
        return self._lenient

    def _prepare(self, context: VideoCodecContext) -> None:
        # Frame threads hold back thread_count - 1 frames and gain nothing if several recordings are read at once; slice
        # threads help only streams that were encoded in slices. One thread costs the least for each frame.
        context.thread_count = self._config.thread_count
        context.thread_type = "SLICE" if self._config.thread_count == 1 else "AUTO"
        context.skip_frame = _SKIP[self._config.skip_frame]
        ask_for_blocks(context, motion=self._config.motion)
        refuse_immense(context)
