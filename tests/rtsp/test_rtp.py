"""Packets of the scripted server, against the RFCs."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rtsp import rtp
from tests.rtsp.clips import Clip, access_units, frame_number, is_slice, nals, numbered_pictures

BODIES = st.binary(min_size=1, max_size=5000).map(lambda body: body.replace(b"\x00", b"\x01"))


def whole(payloads: list[bytes], codec: str) -> bytes:
    """Put fragments together again, as RFC 6184 (5.8) and RFC 7798 (4.4.3) say."""
    if len(payloads) == 1:
        return payloads[0]
    heads = 1 if codec == "h264" else 2
    flags = [payload[heads] for payload in payloads]
    assert [flag >> 7 for flag in flags] == [1] + [0] * (len(flags) - 1)
    assert [flag >> 6 & 1 for flag in flags] == [0] * (len(flags) - 1) + [1]
    first = payloads[0]
    if codec == "h264":
        head = bytes([first[0] & 0xE0 | first[1] & 0x1F])
    else:
        head = bytes([first[0] & 0x81 | (first[2] & 0x3F) << 1, first[1]])
    return head + b"".join(payload[heads + 1 :] for payload in payloads)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@given(kind=st.integers(1, 23), body=BODIES, mtu_bytes=st.integers(50, 1500))
def test_fragments_make_the_nal_again(codec: str, kind: int, body: bytes, mtu_bytes: int) -> None:
    nal = bytes([0x60 | kind]) + body if codec == "h264" else bytes([kind << 1, 1]) + body
    pieces = rtp.payloads(nal, "h264" if codec == "h264" else "h265", mtu_bytes)
    assert max(map(len, pieces)) <= mtu_bytes
    assert whole(pieces, codec) == nal


def test_a_picture_ends_with_the_marker_and_the_sequence_wraps(small_clip: Clip) -> None:
    packets = rtp.packets(small_clip.units[0], "h264", 65_535, 2**32 + 7)
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets]
    assert [head[1] >> 7 for head in heads] == [0] * (len(heads) - 1) + [1]
    assert [head[2] for head in heads] == [65_535, *range(len(heads) - 1)]
    assert {head[3] for head in heads} == {7}


@given(st.floats(0, 2e9), st.integers(0, 2**33))
def test_a_sender_report_tells_the_time(unix_seconds: float, timestamp: int) -> None:
    packet = rtp.sender_report(unix_seconds, timestamp, 3, 400)
    kind, words, ntp, ticks = struct.unpack("!xBH4xQI", packet[:20])
    assert (kind, words, ticks) == (200, 6, timestamp % 2**32)
    assert ntp / 2**32 - rtp.NTP_EPOCH == pytest.approx(unix_seconds, abs=1e-5)
    assert len(packet) == 28 + (1 + struct.unpack("!H", packet[30:32])[0]) * 4


def test_a_clip_is_cut_into_its_pictures(small_clip: Clip, h265_clip: Clip, mjpeg_clip: Clip) -> None:
    for clip in (small_clip, h265_clip, mjpeg_clip):
        assert clip.frames == 50
        assert list(access_units(b"".join(clip.units), clip.codec)) == clip.units
    for clip in (small_clip, h265_clip):
        whole_pictures = [[nal for nal in nals(unit) if is_slice(nal, clip.codec)] for unit in clip.units]
        assert {len(slices) for slices in whole_pictures} == {1}


def test_a_picture_says_its_number() -> None:
    assert [frame_number(picture[:240]) for picture in numbered_pictures((320, 240), 40)] == list(range(40))
