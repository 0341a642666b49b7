"""Damage inside packets of which FFmpeg says nothing by itself."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from engine.decode.torn import Torn
from tests.decode.clips import X265, render

AT = 5


def torn(path: Path, data: bytes) -> Path:
    """Overwrite a part of a packet within its file, behind its headers."""
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][AT]
    held, whole = bytearray(path.read_bytes()), bytes(packet)
    start = held.index(whole) + 2 * len(whole) // 3
    held[start : start + len(data)] = data
    path.write_bytes(held)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "options", "data", "harmed"),
    [
        ("a.avi", "mjpeg", {}, b"\x5a" * 200, [AT]),
        ("a.mov", "mjpeg", {}, b"\x5a" * 200, [AT]),
        ("a.mkv", "libx265", X265, bytes(40), list(range(AT, 12))),
        ("a.mp4", "libx265", X265, bytes(40), list(range(AT, 12))),
    ],
)
def test_it_is_marked(tmp_path, name, codec, options, data, harmed):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = render(tmp_path / name, codec, pix_fmt, (176, 144), codec_options=options)
    *items, last = Decoder("a", torn(path, data), DecodeConfig())
    frames = [item for item in items if isinstance(item, Frame)]
    assert [n for n, frame in enumerate(frames) if frame.damaged] == harmed
    assert (len(frames), f"of the 12 pictures of {path}" in getattr(last, "detail", "")) == (12, True)
    assert ("H.265 does not report errors" in getattr(last, "detail", "")) == (codec == "libx265")


def test_that_a_codec_is_silent_is_only_said_of_what_is_damaged(tmp_path):
    """A warning for each recording of a camera in H.265 warns of nothing."""
    *_, last = Decoder("a", render(tmp_path / "a.mp4", "libx265", size=(176, 144), codec_options=X265), DecodeConfig())
    assert getattr(last, "detail", "?") == ""


ZEROS = b"\x41" + bytes(8) + b"\x80"
SLICE, REMARK = b"\x65\x11\x22\x33\x80", b"\x06\x05" + bytes(8) + b"\x80"
SLICE_265, REMARK_265, ZEROS_265 = b"\x26\x01\x11\x80", b"\x4e\x01" + bytes(8) + b"\x80", b"\x26\x01" + bytes(8) + b"\x80"
AVCC = b"\x01\x64\x00\x0a\xff\xe1"
HVCC = b"\x01" + bytes(20) + b"\xff"


def starts(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def lengths(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


@pytest.mark.parametrize(
    ("codec", "extradata", "packet", "torn"),
    [
        ("h264", None, starts(REMARK, SLICE), False),  # remarks of cameras that do not break up zeros
        ("h264", None, starts(REMARK, ZEROS), True),
        ("h264", None, starts(SLICE) + bytes(3), False),
        ("h264", AVCC, lengths(REMARK, SLICE), False),
        ("h264", AVCC, lengths(ZEROS), True),
        ("h264", AVCC, lengths(SLICE)[:-1], True),
        ("h264", AVCC, lengths(SLICE) + bytes(3), False),  # padding
        ("h264", AVCC, starts(SLICE, SLICE), False),  # start codes although lengths are announced
        ("h264", AVCC, starts(SLICE, ZEROS), True),
        ("hevc", HVCC, lengths(REMARK_265, SLICE_265), False),
        ("hevc", HVCC, lengths(ZEROS_265), True),
        ("hevc", b"\x00" + b"\x01" * 20 + b"\xff", lengths(SLICE_265 + b"\x11" * 300, SLICE_265), False),  # of version 0
        ("hevc", None, starts(REMARK_265, SLICE_265), False),
        ("vp9", None, bytes(40), False),
    ],
)
def test_what_an_encoder_may_write_is_not_torn(codec: str, extradata: bytes | None, packet: bytes, torn: bool) -> None:
    assert Torn(codec, extradata).is_in(av.Packet(packet)) is torn
