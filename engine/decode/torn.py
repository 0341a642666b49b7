"""Recognises H.264 and H.265 packets that no encoder wrote: decoders read on in them, that of H.265 silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av

_START = b"\x00\x00\x01"
_FORBIDDEN = b"\x00\x00\x00"
"""An encoder breaks up such runs within a NAL unit (ITU-T H.264 and H.265, 7.4); after a unit there may be more zeros."""
_AVCC_LENGTH_AT, _HVCC_LENGTH_AT = 4, 21
"""Position of the size of NAL unit lengths in avcC and hvcC (ISO/IEC 14496-15)."""
_LEAST_BYTES = 4
"""Fewer bytes at the end of a packet are padding, for FFmpeg too."""


class Torn:
    """Examines the packets of one stream.

    Args:
        codec_name: ``h264`` or ``hevc``; others have no NAL units.
        extradata: of the stream.
    """

    def __init__(self, codec_name: str, extradata: bytes | None) -> None:
        extradata = extradata or b""
        self._codec_name = codec_name
        at = {"h264": _AVCC_LENGTH_AT, "hevc": _HVCC_LENGTH_AT}.get(codec_name)
        self._has_units = at is not None
        self._length_bytes = 1 + (extradata[at] & 3) if at is not None and _has_lengths(codec_name, extradata[: at + 1]) else 0
        """Bytes of the length before each NAL unit; 0: start codes."""

    def is_in(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet's slices contain impossible zeros, as from a lost disk block, or a length does not fit. Other NAL
        units may contain anything: some cameras write their SEI unescaped.
        """
        if not self._has_units:
            return False
        data = bytes(packet)
        try:
            return any(_FORBIDDEN in unit.rstrip(b"\x00") for unit in self._units(data) if self._is_slice(unit))
        except ValueError:
            return True

    def _is_slice(self, unit: bytes) -> bool:
        if not unit:
            return False
        return 1 <= unit[0] & 0x1F <= 5 if self._codec_name == "h264" else unit[0] >> 1 & 0x3F < 32

    def _units(self, packet: bytes) -> Iterator[bytes]:
        # some writers use start codes although lengths are announced
        if not self._length_bytes or packet.startswith(b"\x00" + _START):
            yield from packet.split(_START)[1:]
            return
        at = 0
        while len(packet) - at >= _LEAST_BYTES:
            end = at + self._length_bytes + int.from_bytes(packet[at : at + self._length_bytes], "big")
            if end > len(packet):
                raise ValueError("a length beyond the packet")
            yield packet[at + self._length_bytes : end]
            at = end


def _has_lengths(codec_name: str, head: bytes) -> bool:
    """Whether extradata begins like avcC or hvcC, by FFmpeg's rule: early files have hvcC of version 0."""
    if codec_name == "h264":
        return len(head) > _AVCC_LENGTH_AT and head[0] == 1
    return len(head) > _HVCC_LENGTH_AT and (head[0] > 0 or head[1] > 0 or head[2] > 1)
