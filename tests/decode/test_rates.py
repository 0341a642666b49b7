"""How many pictures a second: by the stream, where its container makes something up; said where nothing tells."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from tests.decode.clips import X265, render
from tests.decode.reading import read


@pytest.mark.parametrize(
    ("name", "codec", "container", "rate", "options"),
    [
        ("a.h264", "libx264", "h264", 30, {}),
        ("a.h264", "libx264", "h264", Fraction(24000, 1001), {"bf": "0"}),
        ("a.264", "libx264", "h264", 50, {}),
        ("a.h265", "libx265", "hevc", 15, X265),
        ("a.m2v", "mpeg2video", "mpeg2video", 50, {"bf": "2"}),
        ("a.m4v", "mpeg4", "m4v", 12, {}),
    ],
)
def test_bare_streams_have_the_rate_that_they_tell(tmp_path, name, codec, container, rate, options):
    """FFmpeg says 25 of all of them."""
    frames, states, order = read(render(tmp_path / name, codec, container=container, rate=rate, codec_options=options))
    assert states[-1].frame_rate == pytest.approx(float(rate))
    assert [f.time.pts_seconds for f in frames] == pytest.approx([n / float(rate) for n in range(12)], abs=1e-5)
    assert (states[-1].state, states[-1].detail) == ("ended", "")
    assert "discontinuity" not in order


def detail_of(path: Path) -> tuple[list[float], str]:
    *items, last = Decoder("cam", path, DecodeConfig())
    return [item.time.pts_seconds for item in items if isinstance(item, Frame)], getattr(last, "detail", "")


@pytest.mark.parametrize(("codec", "pix_fmt", "container"), [("mjpeg", "yuvj420p", "mjpeg"), ("libsvtav1", "yuv420p", "obu")])
def test_a_rate_that_nothing_tells_is_said(tmp_path, codec, pix_fmt, container):
    path = render(tmp_path / "a.bin", codec, pix_fmt, container=container, rate=10)
    times, detail = detail_of(path)
    assert times == pytest.approx([n / 25 for n in range(12)])
    assert detail.startswith(f"{path} holds neither times nor a rate: 25 a second were assumed; where that is wrong, ")
    assert detail.endswith("give it the right rate as `ffmpeg -framerate 15 -i FILE -c copy FILE.mkv` does")


def numbered(path: Path, rate: int) -> Path:
    """Write an AVI whose header says this rate."""
    data = bytearray(render(path, "mpeg4").read_bytes())
    struct.pack_into("<II", data, data.index(b"strh") + 28, 1, rate)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("rate", "told"), [(1_000_000, "1,000,000"), (90_000, "90,000"), (100_000_000, "100,000,000")])
def test_a_rate_that_nobody_has_is_not_believed(tmp_path, rate, told):
    """AVI numbers its pictures: by such a rate all were shown at once."""
    path = numbered(tmp_path / "a.avi", rate)
    times, detail = detail_of(path)
    assert times == pytest.approx([n / 25 for n in range(12)])
    assert f"{path} says that it has {told} pictures a second: 25 a second were assumed" in detail


@pytest.mark.parametrize("rate", [1, 2000, 20_000])
def test_a_slow_or_fast_one_is(tmp_path, rate):
    times, detail = detail_of(numbered(tmp_path / "a.avi", rate))
    assert (times[-1], detail) == (pytest.approx(11 / rate), "")


@pytest.mark.parametrize(("pause_seconds", "burst", "told"), [(3600, 50, 25), (30, 50, 25), (0, 50, 25), (8, 1, 1 / 8.04)])
def test_pauses_are_no_slow_rate(tmp_path, pause_seconds, burst, told):
    """An MP4 has the average over its pauses; where every picture is far from the next one there are none."""
    pts = [index + 25 * pause_seconds * (index // burst) for index in range(100)]
    _, states, _ = read(render(tmp_path / "a.mp4", frames=100, pts=pts))
    assert states[-1].frame_rate == pytest.approx(told, rel=0.02)
