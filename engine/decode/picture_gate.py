"""Passes only clean pictures: from a key frame up to the first damaged picture, and again from the next clean key frame.

Damage can look like a face to a detector, and an enhancer sharpens it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext

from engine.decode.counted import Counted
from engine.decode.h264_order import H264Order
from engine.decode.hevc_qp import HevcQp
from engine.decode.nal_units import LOOKED_AT_BYTES
from engine.decode.packet_queue import Arrival
from engine.decode.picture_decoder import PictureDecoder
from engine.decode.pixel_shape import shape_of

_REMEMBERED = 64
"""Most packets whose pictures may still come out."""
_HOPELESS_KEYS = 2


class PictureGate:
    """Decodes the packets that are worth it.

    Args:
        context: of the stream; None if arrivals are pictures already, which all pass.
        hwaccel: as for ``PictureDecoder``.
        counted: ``decode_ns``, ``corrupt_packets``, ``corrupt_frames``, and the drops ``corrupt`` and ``no_key_frame`` are
            incremented.
        motion: as for ``PictureDecoder``.
    """

    def __init__(self, context: VideoCodecContext | None, hwaccel: str, counted: Counted, *, motion: bool = False) -> None:
        self._decoder = None if context is None else PictureDecoder(context, hwaccel, motion=motion)
        self._order = None if context is None or context.name != "h264" else H264Order(context.extradata)
        self._compression = None if context is None else HevcQp(context.name, context.extradata)
        self._counted = counted
        self._waits_for_key = True
        self._decoded_before = False
        self._sources: OrderedDict[int, Arrival] = OrderedDict()
        self._last_clean: float | None = None
        self._last_key: float | None = None
        self._keys_in_vain = 0

    @property
    def codec_name(self) -> str:
        return self._decoder.codec_name if self._decoder else "raw video"

    def pixel_aspect(self, picture: av.VideoFrame) -> Fraction | None:
        """Return width over height of the pixels of a picture that has just come out; None if the stream does not say."""
        return shape_of(picture, self._decoder.pixel_aspect, self.codec_name) if self._decoder else None

    def qp(self, picture: av.VideoFrame) -> int | None:
        """Return how strongly a picture was compressed as a whole, see ``HevcQp.of``."""
        return self._compression.of(picture) if self._compression else None

    @property
    def note(self) -> str:
        """A remark on how pictures are decoded; may be empty."""
        return self._decoder.note if self._decoder else ""

    def broken(self) -> None:
        """Note that the next packet does not continue the one before."""
        self._waits_for_key = True

    def hopeless(self, now: float, seconds: float) -> bool:
        """Whether packets, including key frames, have come for ``seconds`` without giving a clean picture."""
        return self._last_clean is not None and self._keys_in_vain >= _HOPELESS_KEYS and now - self._last_clean > seconds

    def keyless_seconds(self, now: float) -> float:
        """Return for how long packets have been waiting for a key frame; 0 if they are not."""
        return now - self._last_key if self._waits_for_key and self._last_key is not None else 0.0

    def pictures(self, arrival: Arrival, *, passing: bool = False) -> Iterator[tuple[av.VideoFrame, Arrival]]:
        """Yield the clean pictures that come out with this arrival, each with its own arrival.

        Args:
            arrival: the next one.
            passing: see ``PictureDecoder.decode``.
        """
        if self._last_clean is None:
            self._last_clean = arrival.arrived_monotonic
        if self._last_key is None or arrival.key:
            self._last_key = arrival.arrived_monotonic
        if isinstance(arrival.payload, av.VideoFrame):
            self._last_clean = arrival.arrived_monotonic
            yield arrival.payload, arrival
            return
        packet = arrival.payload
        if not self._admits(packet, arrival.key):
            return
        self._remember(packet, arrival)
        for picture in self._decode(packet, arrival.key, passing):
            if picture.is_corrupt:
                self._counted.counts["corrupt_frames"] += 1
                self._lost()
                continue
            if self._waits_for_key and not arrival.key:
                continue
            self._last_clean, self._keys_in_vain = arrival.arrived_monotonic, 0
            yield picture, self._sources.get(picture.pts if picture.pts is not None else -1, arrival)

    def _admits(self, packet: av.Packet[Any], key: bool) -> bool:
        if packet.is_corrupt:
            self._counted.counts["corrupt_packets"] += 1
            if not key:  # in a transport stream the mark may mean a loss before a key frame that is itself intact
                self._lost()
                return False
        # Both follow the stream, and are always called.
        if self._compression is not None:
            self._compression.feed(packet)
        missing = self._order is not None and self._order.gap_before(bytes(memoryview(packet)[:LOOKED_AT_BYTES]))
        if self._waits_for_key and not key:
            self._counted.drops["no_key_frame"] += 1
            return False
        if missing and not key:
            self._counted.counts["corrupt_packets"] += 1
            self._lost()
            return False
        return True

    def _decode(self, packet: av.Packet[Any], key: bool, passing: bool) -> list[av.VideoFrame]:
        decoder = self._decoder
        assert decoder is not None, "packets need a decoder"
        if key:
            self._keys_in_vain += 1
            if self._waits_for_key and self._decoded_before:
                decoder.forget()
        self._decoded_before = True
        start = time.perf_counter_ns()
        try:
            pictures = decoder.decode(packet, passing=passing)
        except (av.error.FFmpegError, ValueError):
            self._counted.counts["corrupt_packets"] += 1
            self._lost()
            return []
        finally:
            self._counted.decode_ns += time.perf_counter_ns() - start
        if not pictures and decoder.owes_pictures and not passing:
            self._lost()
        elif key:
            self._waits_for_key = any(picture.is_corrupt for picture in pictures)
        return pictures

    def _lost(self) -> None:
        self._counted.drops["corrupt"] += 1
        self._waits_for_key = True

    def _remember(self, packet: av.Packet[Any], arrival: Arrival) -> None:
        if packet.pts is not None:
            self._sources[packet.pts] = arrival
            if len(self._sources) > _REMEMBERED:
                self._sources.popitem(last=False)
