"""RTP packets of H.264 (RFC 6184), H.265 (RFC 7798) and G.711 (RFC 3551), and the RTCP packets of a sender."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.rtsp.clips import Codec, nals, parameter_kind

VIDEO_TYPE = 96
AUDIO_TYPE = 8
CLOCK_HZ = 90_000
MTU_BYTES = 1400
NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 (NTP) to 1970 (Unix)."""
SSRC = 0x0FACE0FF


def header(sequence: int, timestamp: int, marker: bool, payload_type: int = VIDEO_TYPE) -> bytes:
    """Return the 12 bytes before a payload; sequence and timestamp wrap."""
    return struct.pack("!BBHII", 0x80, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, SSRC)


@dataclass(frozen=True)
class Packing:
    """How pictures become packets."""

    mtu_bytes: int = MTU_BYTES
    together: bool = False
    """Parameter sets travel in one packet."""
    changed: Callable[[bytes], bytes] = bytes
    """Applied to each packet."""


USUAL = Packing()


def packets(
    unit: bytes, codec: Codec, sequence: int, timestamp: int, packing: Packing = USUAL, payload_type: int = VIDEO_TYPE
) -> list[bytes]:
    """Return the packets of one access unit; the last has the marker."""
    units = list(nals(unit))
    if packing.together:
        sets = [nal for nal in units if parameter_kind(nal, codec)]
        units = [*([aggregated(sets, codec)] if sets else []), *(nal for nal in units if nal not in sets)]
    pieces = [piece for nal in units for piece in payloads(nal, codec, packing.mtu_bytes)]
    last = len(pieces) - 1
    return [packing.changed(header(sequence + n, timestamp, n == last, payload_type) + piece) for n, piece in enumerate(pieces)]


def aggregated(units: list[bytes], codec: Codec) -> bytes:
    """Return NAL units as one payload (STAP-A, AP)."""
    head = bytes([0x60 | 24]) if codec == "h264" else bytes([48 << 1, 1])
    return head + b"".join(len(nal).to_bytes(2, "big") + nal for nal in units)


def payloads(nal: bytes, codec: Codec, mtu_bytes: int = MTU_BYTES) -> list[bytes]:
    """Return a NAL unit as one payload, or as fragments (FU-A, FU) where it is too long."""
    if len(nal) <= mtu_bytes:
        return [nal]
    if codec == "h264":
        kind, head, body = nal[0] & 0x1F, bytes([nal[0] & 0xE0 | 28]), nal[1:]
    else:
        kind, head, body = nal[0] >> 1 & 0x3F, bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[2:]
    room = mtu_bytes - len(head) - 1
    starts = range(0, len(body), room)
    return [
        head + bytes([(0x80 if start == 0 else 0) | (0x40 if start == starts[-1] else 0) | kind]) + body[start : start + room]
        for start in starts
    ]


def sender_report(unix_seconds: float, timestamp: int, packets_sent: int, bytes_sent: int) -> bytes:
    """Return RTCP that says: the clock showed ``unix_seconds`` at ``timestamp``; with the source's name, as must be."""
    ntp = round((unix_seconds + NTP_EPOCH) * 2**32)
    counts = packets_sent & 0xFFFFFFFF, bytes_sent & 0xFFFFFFFF
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, SSRC, ntp & (2**64 - 1), timestamp & 0xFFFFFFFF, *counts)
    name = b"\x01\x06camera\x00\x00\x00\x00"
    return report + struct.pack("!BBHI", 0x81, 202, 1 + len(name) // 4, SSRC) + name


def bye() -> bytes:
    """Return RTCP that ends the source."""
    return struct.pack("!BBHI", 0x81, 203, 1, SSRC)
