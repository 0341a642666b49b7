"""H.264 of which each picture is coded as two fields. No encoder at hand writes it: pictures of half the height are encoded,
and the heads of their slices rewritten. What they show is scrambled; that they are decoded is what counts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from engine.decode.nal_units import BitReader
from tests.decode.clips import picture

_SIZE = 96, 64
_START = b"\x00\x00\x00\x01"
_ENCODING = {"g": "1", "x264-params": "cabac=0:bframes=0:8x8dct=0:slices=1", "profile": "baseline"}


class _Rewriter(BitReader):
    """Reads a NAL unit, and returns what was read as the bits that it was."""

    def __init__(self, nal: bytes) -> None:
        super().__init__(nal)
        self._all = self._left

    def so_far(self) -> str:
        return f"{self._bits:0{self._all}b}"[: self._all - self._left]

    def rest(self) -> str:
        return f"{self._bits:0{self._all}b}"[self._all - self._left :]


def _nal(head: int, bits: str) -> bytes:
    bits = bits[: bits.rindex("1") + 1]
    bits += "0" * (-len(bits) % 8)
    data, zeros = bytearray([head]), 0
    for byte in int(bits, 2).to_bytes(len(bits) // 8, "big"):
        if zeros >= 2 and byte <= 3:
            data.append(3)
            zeros = 0
        zeros = 0 if byte else zeros + 1
        data.append(byte)
    return _START + bytes(data)


def _parameters(nal: bytes) -> tuple[bytes, int]:
    """Return sequence parameters that allow fields, and how many bits ``frame_num`` has."""
    reader = _Rewriter(nal[1:])
    reader.bits(24)
    reader.ue()
    number_bits = reader.ue() + 4
    assert reader.ue() == 2, "the order of pictures is that of their numbers"
    reader.ue()
    reader.bits(1)
    reader.ue()
    reader.ue()
    before = reader.so_far()
    assert reader.bits(2) == 3, "whole pictures, and what fields ask for"
    return _nal(nal[0], f"{before}001{reader.rest()}"), number_bits


def _field(nal: bytes, number_bits: int, *, is_second: bool) -> bytes:
    reader = _Rewriter(nal[1:])
    for _ in range(3):
        reader.ue()
    reader.bits(number_bits)
    before, second = reader.so_far(), _Rewriter(nal[1:])
    second.bits(len(before))
    second.ue()  # of an IDR picture alone, as the first field is
    named = f"{before}{'11' if is_second else '10'}"
    if not is_second:
        return _nal(nal[0], named + reader.rest())
    second.bits(2)
    return _nal(nal[0] & 0xE0 | 1, f"{named}0{second.rest()}")


def fields_of(pictures: int) -> list[bytes]:
    """Return the fields of so many pictures, one after the other."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *_SIZE, "yuv420p"
    encoder.time_base, encoder.options = Fraction(1, 50), _ENCODING
    packets = [
        packet
        for index in range(2 * pictures)
        for packet in encoder.encode(av.VideoFrame.from_ndarray(picture(index, *_SIZE), "rgb24").reformat(format="yuv420p"))
    ]
    packets += encoder.encode(None)
    found, number_bits = [], 0
    for index, packet in enumerate(packets):
        field = b""
        for nal in bytes(packet).replace(_START, _START[1:]).split(_START[1:])[1:]:
            kind = nal[0] & 0x1F
            if kind == 7:
                nal, number_bits = _parameters(nal)
            elif kind == 5:
                nal = _field(nal, number_bits, is_second=index % 2 == 1)
            else:
                nal = _START + nal
            if index % 2 == 0 or kind == 5:
                field += nal
        found.append(field)
    return found


def write_fields(path: Path, pictures: int, rate: int = 50, together: bool = False) -> Path:
    """Write a recording of 25 pictures a second, with a packet for each field, or for two ``together``."""
    fields = fields_of(pictures)
    packets = [first + second for first, second in zip(fields[::2], fields[1::2], strict=True)] if together else fields
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = _SIZE[0], 2 * _SIZE[1], "yuv420p"
        for index, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, rate)
            packet.pts = packet.dts = index
            packet.is_keyframe = together or index % 2 == 0
            output.mux(packet)
    return path
