"""Detects missing pictures in an H.264 stream: the decoder silently fills such a gap with a copy.

Each picture carries ``frame_num``, which increments with each reference picture (ITU-T H.264, 7.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from engine.decode.nal_units import BitReader, units_by_length, units_by_start

_SLICE_HEAD_BYTES = 32
_SLICE, _IDR_SLICE, _SEQUENCE_PARAMETERS = 1, 5, 7
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
_AVCC_HEAD_BYTES = 6
"""Bytes before the sequence parameter sets; one more byte counts the picture parameter sets after them."""


@dataclass(frozen=True)
class _Sequence:
    frame_num_bits: int
    separate_planes: bool
    gaps_allowed: bool
    in_fields: bool
    """Whether a picture may be coded as two fields."""


class H264Order:
    """Follows one stream, packet by packet.

    Args:
        extradata: of the stream, with start codes (Annex B) or as in MP4, Matroska and FLV (avcC, ISO/IEC 14496-15); parameter
            sets in the stream replace it.
    """

    def __init__(self, extradata: bytes | None) -> None:
        self._sequence: _Sequence | None = None
        self._last: int | None = None
        self._field: tuple[int, int] | None = None
        """``frame_num`` of a field whose other field has not come yet, and whether it is the bottom field."""
        self.is_second_field = False
        """Whether the newest packet begins with the second field of a picture whose first field came before."""
        extradata = extradata or b""
        self._length_bytes = 1 + (extradata[4] & 3) if extradata[:1] == b"\x01" and len(extradata) > _AVCC_HEAD_BYTES else 0
        """Bytes of the length before each NAL unit; 0: start codes."""
        if self._length_bytes:
            found = list(islice(units_by_length(extradata[_AVCC_HEAD_BYTES:], 2), extradata[_AVCC_HEAD_BYTES - 1] & 0x1F))
            # If there are several, it is not looked up which one a picture uses.
            found = found if len(set(found)) == 1 else []
        else:
            found = list(units_by_start(extradata))
        for nal in found:
            self._learn(nal)

    def gap_before(self, packet: bytes) -> bool:
        """Return whether reference pictures are missing between the previous packet and this one.

        Args:
            packet: one picture, or its first ``LOOKED_AT_BYTES``.
        """
        self.is_second_field = False
        for nal in units_by_length(packet, self._length_bytes) if self._length_bytes else units_by_start(packet):
            kind = nal[0] & 0x1F
            if kind in (_SLICE, _IDR_SLICE):
                try:
                    return self._follow(nal, kind == _IDR_SLICE)
                except ValueError:
                    self._last = self._field = None
                    return False
            self._learn(nal)
        return False

    def _learn(self, nal: bytes) -> None:
        if nal[0] & 0x1F == _SEQUENCE_PARAMETERS:
            try:
                self._sequence = _parse_sequence(nal)
            except ValueError:
                self._sequence = None

    def _follow(self, nal: bytes, is_idr: bool) -> bool:
        sequence = self._sequence
        if sequence is None:
            return False
        reader = BitReader(nal[1:_SLICE_HEAD_BYTES])
        for _ in range(3):  # first macroblock, type, picture parameter set
            reader.ue()
        if sequence.separate_planes:
            reader.bits(2)
        number = reader.bits(sequence.frame_num_bits)
        bottom = reader.bits(1) if sequence.in_fields and reader.bits(1) else None
        self.is_second_field = bottom is not None and not is_idr and self._field == (number, 1 - bottom)
        self._field = None if bottom is None or self.is_second_field else (number, bottom)
        last = 0 if is_idr else self._last
        if is_idr or nal[0] & 0x60:  # a reference picture
            self._last = number
        if last is None or is_idr or sequence.gaps_allowed:
            return False
        return (number - last) % (1 << sequence.frame_num_bits) > 1


def _parse_sequence(nal: bytes) -> _Sequence:
    reader = BitReader(nal[1:])
    profile = reader.bits(8)
    reader.bits(16)  # constraints, level
    reader.ue()
    separate_planes = False
    if profile in _HIGH_PROFILES:
        chroma = reader.ue()
        separate_planes = chroma == 3 and bool(reader.bits(1))
        reader.ue()  # bit depths
        reader.ue()
        reader.bits(1)
        if reader.bits(1):
            _skip_scaling(reader, 12 if chroma == 3 else 8)
    frame_num_bits = reader.ue() + 4
    if frame_num_bits > 16:
        raise ValueError("frame_num is too long")
    _skip_order_count(reader)
    reader.ue()  # reference frames
    gaps_allowed = bool(reader.bits(1))
    reader.ue()  # width
    reader.ue()  # height
    return _Sequence(frame_num_bits, separate_planes, gaps_allowed, not reader.bits(1))


def _skip_scaling(reader: BitReader, lists: int) -> None:
    for index in range(lists):
        if not reader.bits(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + reader.se()) % 256
            last = following or last


def _skip_order_count(reader: BitReader) -> None:
    kind = reader.ue()
    if kind == 0:
        reader.ue()
    elif kind == 1:
        reader.bits(1)
        reader.se()
        reader.se()
        count = reader.ue()
        if count > 255:
            raise ValueError("too long a cycle")
        for _ in range(count):
            reader.se()
