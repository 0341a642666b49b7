"""Recordings behind something else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decode.clips import render
from tests.decode.reading import read

FRONTS = {
    "zeros": bytes(512),
    "text": b"DVR 1.2 CH01\r\n" * 20,
    "noise": np.random.default_rng(0).bytes(4001),
    "viewer": b"MZ" + bytes(5_000_000),
    "byte": b"\0",
}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mov", "mpeg4"), ("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.avi", "mpeg4"),
     ("a.flv", "flv"), ("a.wmv", "wmv2")],
)  # fmt: skip
def test_where_it_begins_is_told(tmp_path, name, codec, front):
    whole = render(tmp_path / name, codec, frames=5).read_bytes()
    path = tmp_path / f"export.{name.partition('.')[2]}"
    path.write_bytes(FRONTS[front] + whole)
    _, states, _ = read(path)
    place = len(FRONTS[front])
    assert f"behind {place:,} byte{'s' * (place != 1)} of something else: cut them off" in states[-1].detail
    assert f"tail --bytes=+{place + 1} FILE" in states[-1].detail
    assert path.read_bytes()[place:] == whole


@pytest.mark.parametrize("front", sorted(set(FRONTS) - {"viewer"}))
def test_a_transport_stream_is_read_behind_what_is_none(tmp_path, front):
    whole = render(tmp_path / "a.ts", frames=20).read_bytes()
    (tmp_path / "export.ts").write_bytes(FRONTS[front] + whole)
    frames, states, _ = read(tmp_path / "export.ts")
    assert (len(frames), states[-1].state, states[-1].detail) == (20, "ended", "")


@pytest.mark.parametrize("name", ["a.ts", "a.m2ts"])
@pytest.mark.parametrize(
    "front", [b"DVR 1.2 CH01\r\n" * 1500, bytes(300_000), b"MZ" + bytes(3_000_000)], ids=["text", "zeros", "viewer"]
)
def test_where_a_transport_stream_begins_that_ffmpeg_does_not_find_is_told(tmp_path, name, front):
    path = tmp_path / f"export.{name.partition('.')[2]}"
    path.write_bytes(front + render(tmp_path / name, frames=20).read_bytes())
    frames, states, _ = read(path)
    kind = path.suffix[1:]
    if (kind, front[:3]) == ("m2ts", b"DVR"):  # which FFmpeg finds
        assert len(frames) == 20
    else:
        assert f"recording ({kind.upper()}) behind {len(front):,} bytes of something else: cut them" in states[-1].detail
        assert f"tail --bytes=+{len(front) + 1} FILE > cut.{kind}" in states[-1].detail


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv", "a.wmv"])
def test_one_that_is_damaged_or_joined_begins_where_it_begins(tmp_path, name):
    codec = {"a.avi": "mpeg4", "a.wmv": "wmv2"}.get(name, "libx264")
    data = bytearray(render(tmp_path / name, codec, frames=30).read_bytes() * 2)
    data[len(data) // 4 : len(data) // 4 + 200] = bytes(200)
    (tmp_path / name).write_bytes(data)
    _, states, _ = read(tmp_path / name)
    assert "something else" not in states[-1].detail
