"""What FFmpeg leaves out without a word is told."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from engine.decode.not_read import not_read
from tests.decode.clips import render


def frames_and_detail(path: Path) -> tuple[int, str]:
    *items, last = Decoder("a", path, DecodeConfig())
    assert getattr(last, "state", "") == "ended"
    return sum(isinstance(item, Frame) for item in items), getattr(last, "detail", "")


def test_segments_that_are_gone_are_told(tmp_path: Path) -> None:
    options = {"hls_time": "0.4", "hls_list_size": "0"}
    path = render(tmp_path / "a.m3u8", container="hls", frames=50, codec_options={"g": "10"}, container_options=options)
    assert frames_and_detail(path) == (50, "")
    (tmp_path / "a2.ts").unlink()
    told = f"1 of the 5 segments of {path} is not there (a2.ts): each leaves a gap in the recording"
    frames, detail = frames_and_detail(path)
    assert (frames < 50, detail) == (True, told)


@pytest.mark.parametrize("name", ["a.mp4", "fragments.mp4", "a.mov", "a.3gp", "a.flv", "a.wmv", "a.ivf", "a.y4m", "a.nut"])
def test_what_was_joined_as_cat_does_is_told_where_the_first_part_alone_is_read(tmp_path: Path, name: str) -> None:
    codec = {"a.flv": "flv", "a.wmv": "wmv2", "a.ivf": "libsvtav1", "a.y4m": "wrapped_avframe"}.get(name, "mpeg4")
    options = {"movflags": "frag_keyframe+empty_moov"} if name == "fragments.mp4" else {}
    path = render(tmp_path / name, codec, size=(176, 144), container_options=options)
    assert frames_and_detail(path) == (12, "")
    path.write_bytes(path.read_bytes() * 2)
    frames, detail = frames_and_detail(path)
    assert (frames, f"{path} holds another recording behind the first" in detail) == (13 if name == "a.nut" else 12, True)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi"])
def test_what_was_joined_and_is_read_on_is_not_said_to_be_left_out(tmp_path: Path, name: str) -> None:
    path = render(tmp_path / name)
    path.write_bytes(path.read_bytes() * 2)
    frames, detail = frames_and_detail(path)
    assert (frames > 12, "another recording" in detail) == (True, False)


def test_boxes_and_objects_of_any_length_end(tmp_path: Path) -> None:
    """A length of nothing, or beyond the end, is not followed."""
    path = render(tmp_path / "a.mp4")
    whole = path.read_bytes()
    with av.open(path) as container:
        for tail in (b"\0\0\0\0free", b"\0\0\0\7free", b"\xff\xff\xff\xfffree", b"\0\0\0\1free" + b"\xff" * 8, b"\0\0"):
            path.write_bytes(whole + tail)
            assert list(not_read(path, container, 1)) == []
    path = render(tmp_path / "a.wmv", "wmv2")
    whole = path.read_bytes()
    with av.open(path) as container:
        for tail in (b"", bytes(24), bytes(16) + b"\xff" * 8):
            path.write_bytes(whole + tail)
            assert list(not_read(path, container, 1)) == []


@pytest.mark.parametrize("other", [{"size": (160, 120)}, {"codec": "mpeg4"}])
def test_what_was_joined_to_a_matroska_file_and_does_not_fit_is_told(tmp_path: Path, other: dict[str, object]) -> None:
    path = render(tmp_path / "a.mkv")
    path.write_bytes(path.read_bytes() + render(tmp_path / "b.mkv", **other).read_bytes())
    assert f"{path} holds another recording behind the first" in frames_and_detail(path)[1]
