"""The units of H.264 and H.265 packets, and the bits of their headers."""

from __future__ import annotations

from collections.abc import Iterator

LOOKED_AT_BYTES = 8192
"""Bytes of a packet to examine: parameter sets and SEI precede the first slice."""
_START = b"\x00\x00\x01"
_LONGEST_ZEROS = 31


class BitReader:
    """Reads the bits of a NAL unit without emulation prevention bytes.

    Raises:
        ValueError: (from every method) there are no more bits, or a number is longer or larger than allowed.
    """

    def __init__(self, nal: bytes) -> None:
        payload = nal.replace(b"\x00\x00\x03", b"\x00\x00")
        self._bits, self._left = int.from_bytes(payload, "big"), 8 * len(payload)

    def bits(self, count: int) -> int:
        """Return an unsigned number of ``count`` bits."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the NAL unit ends early")
        return self._bits >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        """Return the next bit."""
        return bool(self.bits(1))

    def ue(self, most: int | None = None) -> int:
        """Return an unsigned Exp-Golomb number of at most ``most``."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > _LONGEST_ZEROS:
                raise ValueError("too long a number")
        number = (1 << zeros) - 1 + self.bits(zeros)
        if most is not None and number > most:
            raise ValueError("too large a number")
        return number

    def se(self) -> int:
        """Return a signed Exp-Golomb number."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def units_by_start(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an Annex B stream; none for other data."""
    if not data.startswith((_START, b"\x00" + _START)):
        return
    for nal in data[:LOOKED_AT_BYTES].split(_START)[1:]:
        if nal:
            yield nal


def units_by_length(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield NAL units preceded by their lengths; the last one may be truncated."""
    at = 0
    while at + length_bytes < len(data):
        length = int.from_bytes(data[at : at + length_bytes], "big")
        at += length_bytes
        if length:
            yield data[at : at + length]
        at += length
