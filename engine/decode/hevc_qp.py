"""How strongly each picture of an H.265 stream was compressed, from the header of its first slice: decoders do not tell.

The scale is H.264's: a step of ``2 ** ((QP - 4) / 6)`` grey levels. Encoders may depart from it block by block, which only
decoding would show.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import av

from engine.decode.hevc_sets import (
    HEAD_BYTES,
    PictureSet,
    References,
    SequenceSet,
    picture_set_of,
    references_of,
    sequence_of,
)
from engine.decode.nal_units import LOOKED_AT_BYTES, BitReader, units_by_length, units_by_start

_REMEMBERED = 64
"""Most packets whose pictures may still come out."""
_SLICE_HEAD_BYTES = 512
_SEQUENCE, _PICTURE = 33, 34
_LAST_SLICE, _KEYS, _RESTARTS = 31, range(16, 24), (19, 20)
_B, _P = 0, 1
_MOST_LISTED = 15
_HVCC_LENGTH_AT, _HVCC_HEAD_BYTES = 21, 23
_MOST_QP = 51


class HevcQp:
    """Reads the packets of one stream: ``feed`` each before it is decoded, then ask about each picture that comes out.

    It never raises, whatever packets contain: what it cannot read has no QP.

    Args:
        codec_name: ``hevc``; of others nothing is known.
        extradata: of the stream, with start codes (Annex B) or as in MP4 and Matroska (hvcC, ISO/IEC 14496-15); parameter sets
            in the stream replace it.
    """

    def __init__(self, codec_name: str, extradata: bytes | None) -> None:
        self._reads = codec_name == "hevc"
        self._sequences: dict[int, SequenceSet] = {}
        self._pictures: dict[int, PictureSet] = {}
        self._by_stamp: OrderedDict[int, int | None] = OrderedDict()
        self._length_bytes = 0
        """Bytes of the length before each NAL unit; 0: start codes."""
        if self._reads:
            self._begin(extradata or b"")

    def feed(self, packet: av.Packet[Any] | None) -> None:
        """Note a packet, None at the end; of one without a time nothing is known."""
        if packet is None or not self._reads:
            return
        if packet.has_sidedata("new_extradata"):
            self._begin(bytes(packet.get_sidedata("new_extradata")))
        qp = self.qp_of(bytes(memoryview(packet)[:LOOKED_AT_BYTES]))
        if packet.pts is not None:
            self._by_stamp[packet.pts] = qp
            if len(self._by_stamp) > _REMEMBERED:
                self._by_stamp.popitem(last=False)

    def of(self, picture: av.VideoFrame) -> int | None:
        """Return the QP of a picture, 0 (without loss) to 51, or None if it is not known."""
        return None if picture.pts is None else self._by_stamp.get(picture.pts)

    def qp_of(self, packet: bytes) -> int | None:
        """Learn the parameter sets of a packet, or of its first ``LOOKED_AT_BYTES``, and return the QP of its first slice."""
        starts = not self._length_bytes or packet.startswith(b"\x00\x00\x00\x01")
        for nal in units_by_start(packet) if starts else units_by_length(packet, self._length_bytes):
            if _is_slice(nal):
                try:
                    return self._of_slice(nal)
                except ValueError:
                    return None
            self._learn(nal)
        return None

    def _begin(self, extradata: bytes) -> None:
        # By FFmpeg's rule; early files have hvcC of version 0.
        if len(extradata) > _HVCC_HEAD_BYTES and (extradata[0] > 0 or extradata[1] > 0 or extradata[2] > 1):
            self._length_bytes = 1 + (extradata[_HVCC_LENGTH_AT] & 3)
            for nal in _in_hvcc(extradata):
                self._learn(nal)
            return
        self._length_bytes = 0
        for nal in units_by_start(extradata):
            self._learn(nal)

    def _learn(self, nal: bytes) -> None:
        kind = _kind(nal)
        try:
            if kind == _SEQUENCE:
                sequence = sequence_of(nal)
                self._sequences[sequence.number] = sequence
            elif kind == _PICTURE:
                picture = picture_set_of(nal)
                self._pictures[picture.number] = picture
        except ValueError:  # which one it would have replaced is not known
            (self._sequences if kind == _SEQUENCE else self._pictures).clear()

    def _of_slice(self, nal: bytes) -> int | None:
        reader, kind = BitReader(nal[HEAD_BYTES:_SLICE_HEAD_BYTES]), _kind(nal)
        if not reader.flag():  # the first one was lost
            return None
        if kind in _KEYS:
            reader.bits(1)
        picture = self._pictures.get(reader.ue())
        sequence = None if picture is None else self._sequences.get(picture.sequence)
        if picture is None or sequence is None or picture.lossless:
            return None
        qp = picture.qp + _difference(reader, sequence, picture, is_restart=kind in _RESTARTS)
        return max(0, qp) if qp <= _MOST_QP else None


def _kind(nal: bytes) -> int | None:
    """Return the type of a NAL unit; None if it belongs to another layer, or is broken."""
    in_base = len(nal) > HEAD_BYTES and not nal[0] & 0x81 and not nal[1] & 0xF8
    return nal[0] >> 1 if in_base else None


def _is_slice(nal: bytes) -> bool:
    kind = _kind(nal)
    return kind is not None and kind <= _LAST_SLICE


def _in_hvcc(extradata: bytes) -> Iterator[bytes]:
    at = _HVCC_HEAD_BYTES
    for _ in range(extradata[at - 1]):
        count = int.from_bytes(extradata[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(extradata[at : at + 2], "big")
            if end == at + 2 or end > len(extradata):
                return
            yield extradata[at + 2 : end]
            at = end


def _difference(reader: BitReader, sequence: SequenceSet, picture: PictureSet, *, is_restart: bool) -> int:
    """Read the header of a slice from its type on, and return ``slice_qp_delta`` (7.3.6.1).

    Raises:
        ValueError: it ends early, or is invalid.
    """
    reader.bits(picture.extra_bits)
    kind = reader.ue(2)
    reader.bits(picture.says_output + 2 * sequence.separate_planes)
    used, takes_motion = 0, False
    if not is_restart:
        used, takes_motion = _read_references(reader, sequence)
    if sequence.has_offsets:
        reader.bits(1 + sequence.has_colour)
    if kind in (_B, _P):
        listed = picture.references
        if reader.flag():
            listed = reader.ue(_MOST_LISTED - 1) + 1, reader.ue(_MOST_LISTED - 1) + 1 if kind == _B else 0
        lists = listed if kind == _B else listed[:1]
        if picture.reorders and used > 1:
            for count in lists:
                reader.bits(count * (used - 1).bit_length() if reader.flag() else 0)
        reader.bits((kind == _B) + picture.sets_cabac)
        if takes_motion:
            place = 0 if kind != _B or reader.flag() else 1
            if lists[place] > 1:
                reader.ue()
        if picture.weighted[kind == _B]:
            _skip_weights(reader, lists, has_colour=sequence.has_colour)
        reader.ue(4)  # candidates to merge with
    return reader.se()


def _read_references(reader: BitReader, sequence: SequenceSet) -> tuple[int, bool]:
    """Return how many pictures a slice refers to, and whether it takes motion from one of them."""
    reader.bits(sequence.order_bits)
    known = sequence.references
    short: References
    if not reader.flag():
        short = references_of(reader, len(known), len(known), known)
    else:
        place = reader.bits((len(known) - 1).bit_length()) if len(known) > 1 else 0
        if place >= len(known):
            raise ValueError("references that there are not")
        short = known[place]
    used = short.used
    if sequence.long_term is not None:
        used += _long_term_used(reader, sequence.order_bits, sequence.long_term)
    return used, sequence.takes_motion and reader.flag()


def _long_term_used(reader: BitReader, order_bits: int, known: tuple[bool, ...]) -> int:
    used = 0
    from_known = reader.ue(_MOST_LISTED) if known else 0
    for number in range(from_known + reader.ue(_MOST_LISTED)):
        if number < from_known:
            place = reader.bits((len(known) - 1).bit_length())
            if place >= len(known):
                raise ValueError("references that there are not")
            used += known[place]
        else:
            used += reader.bits(order_bits + 1) & 1
        if reader.flag():
            reader.ue()
    return used


def _skip_weights(reader: BitReader, lists: tuple[int, ...], *, has_colour: bool) -> None:
    reader.ue(7)
    if has_colour:
        reader.se()
    for count in lists:
        bright = [reader.flag() for _ in range(count)]
        coloured = [reader.flag() for _ in range(count if has_colour else 0)] or [False] * count
        for number in range(count):
            for _ in range(2 * bright[number] + 4 * coloured[number]):
                reader.se()
