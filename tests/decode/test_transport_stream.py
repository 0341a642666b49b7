"""A transport stream whose codec changes: what is not read of it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.decode.transport_stream import changes_of_video
from tests.decode.clips import X265, render
from tests.decode.test_not_read import frames_and_detail


def part(folder: Path, codec: str) -> bytes:
    options = {"libx265": X265, "libx264": {"bf": "0"}}.get(codec, {})
    return render(folder / f"{codec}.ts", codec, codec_options=options).read_bytes()


@pytest.mark.parametrize(
    ("codecs", "told"),
    [
        (("libx264", "libx265"), "h264, hevc"),
        (("libx265", "libx264"), "hevc, h264"),
        (("mpeg2video", "libx264"), "mpeg2video, h264"),
        (("libx264", "mpeg4"), "h264, mpeg4"),
        (("libx265", "libx264", "libx265", "mpeg2video"), "hevc, h264, mpeg2video"),
    ],
)
def test_what_is_of_another_codec_is_told(tmp_path, codecs, told):
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(part(tmp_path, codec) for codec in codecs))
    _, detail = frames_and_detail(path)
    assert f"{path} changes its codec ({told}): only what is " in detail
    assert "was read; cut it there, and give each as a file of its own" in detail


@pytest.mark.parametrize("packet_bytes", [188, 192, 204])
def test_packets_of_any_length_are_looked_at(tmp_path, packet_bytes):
    data = part(tmp_path, "libx264") + part(tmp_path, "libx265")
    padded = (data[at : at + 188] + bytes(packet_bytes - 188) for at in range(0, len(data), 188))
    (tmp_path / "a.ts").write_bytes(b"".join(padded))
    assert changes_of_video(tmp_path / "a.ts") == [(0x100, "h264"), (0x100, "hevc")]


def test_one_that_does_not_change_has_none(tmp_path):
    (tmp_path / "a.ts").write_bytes(part(tmp_path, "libx264") * 3)
    (tmp_path / "b.ts").write_bytes(bytes(range(256)) * 100 + b"\x47\x40\x10\x10\x00\x02\xb0\xff")
    assert changes_of_video(tmp_path / "a.ts") == changes_of_video(tmp_path / "b.ts") == []


@pytest.mark.parametrize("frames", [12, 60])
def test_a_stream_of_another_number_is_told(tmp_path, frames):
    """FFmpeg finds it at once, or in the middle, which PyAV does not expect."""
    other = {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "768"}
    first = render(tmp_path / "a.ts", frames=frames).read_bytes()
    second = render(tmp_path / "b.ts", frames=frames, container_options=other).read_bytes()
    path = tmp_path / "a.ts"
    path.write_bytes(first + second)
    given, detail = frames_and_detail(path)
    assert given == frames
    at_once = f"{path}: video stream 0 of 2 was read "
    late = f"{path} goes on in another stream (PID 0x100, 0x200): only the first was read; cut it there, and give each as"
    assert (at_once if frames == 12 else late) in detail
