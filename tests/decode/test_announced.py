"""Files that are shorter than their headers announce."""

from __future__ import annotations

import pytest

from engine.decode.announced import announced_bytes
from tests.decode.clips import cut, render
from tests.decode.reading import read

_KINDS = [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.wmv", "wmv2"), ("a.asf", "msmpeg4"), ("a.avi", "mpeg4")]


@pytest.mark.parametrize(("name", "codec"), _KINDS)
def test_a_file_has_as_many_bytes_as_its_header_says(tmp_path, name, codec):
    path = render(tmp_path / name, codec)
    assert announced_bytes(path) == path.stat().st_size


@pytest.mark.parametrize(("name", "codec"), _KINDS[:4])
@pytest.mark.parametrize("share", [0.5, 0.93])
def test_one_that_was_cut_off_is_told_however_little_is_missing(tmp_path, name, codec, share):
    path = cut(render(tmp_path / f"whole_{name}", codec, frames=100), share, tmp_path / name)
    frames, states, _ = read(path)
    assert frames
    assert states[-1].state == "ended"
    assert "where its header announces" in states[-1].detail
    assert states[-1].detail.count("it may be cut off or damaged") == 1


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.flv"])
def test_others_announce_none(tmp_path, name):
    assert announced_bytes(render(tmp_path / name, "flv" if name == "a.flv" else "libx264")) == 0


def test_nor_does_a_recording_that_is_sent_as_it_is_made(tmp_path):
    assert announced_bytes(render(tmp_path / "a.mkv", container_options={"live": "1"})) == 0


@pytest.mark.parametrize("name", ["a.mkv", "a.wmv", "a.avi"])
@pytest.mark.parametrize("length", [0, 1, 5, 11, 30, 60, 100])
def test_a_head_of_any_length_is_looked_at(tmp_path, name, length):
    codec = {"a.mkv": "libx264", "a.wmv": "wmv2", "a.avi": "mpeg4"}[name]
    data = render(tmp_path / name, codec).read_bytes()
    (tmp_path / "head").write_bytes(data[:length])
    assert announced_bytes(tmp_path / "head") in {0, len(data)}
