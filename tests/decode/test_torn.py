"""Damage inside packets of which FFmpeg says nothing by itself."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
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
    assert ("H.265 does not tell of errors" in getattr(last, "detail", "")) == (codec == "libx265")


def test_that_a_codec_is_silent_is_only_said_of_what_is_damaged(tmp_path):
    """A warning for each recording of a camera in H.265 warns of nothing."""
    *_, last = Decoder("a", render(tmp_path / "a.mp4", "libx265", size=(176, 144), codec_options=X265), DecodeConfig())
    assert getattr(last, "detail", "?") == ""
