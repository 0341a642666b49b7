"""A file that is still being written, or holds another one, at the end of its reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from tests.decode.clips import cut, render
from tests.decode.reading import read

GROWS = "it was still being written while it was read, so read it again when it is finished"


def read_while(path: Path, whole: bytes) -> tuple[int, str, str]:
    """Read a part of a file, whose rest comes meanwhile."""
    items = iter(Decoder("cam", path, DecodeConfig()))
    while not isinstance(next(items), Frame):
        pass
    with path.open("ab") as file:
        file.write(whole[path.stat().st_size :])
    rest = list(items)
    return 1 + sum(isinstance(item, Frame) for item in rest), rest[-1].state, getattr(rest[-1], "detail", "")


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.mp4", "a.avi", "a.mpg"])
def test_one_that_grows_is_told(tmp_path, name):
    codec, container = ("mpeg2video", "mpeg") if name == "a.mpg" else ("libx264", None)
    options = {"movflags": "frag_keyframe+empty_moov"} if name == "a.mp4" else {}
    whole = render(tmp_path / f"whole_{name}", codec, frames=100, container=container, container_options=options)
    path = cut(whole, 0.6, tmp_path / name)
    _, _, detail = read_while(path, whole.read_bytes())
    assert GROWS in detail
    assert str(path) in detail


def test_one_that_is_finished_is_not(tmp_path):
    whole = render(tmp_path / "a.ts", frames=30)
    assert read_while(whole, whole.read_bytes()) == (30, "ended", "")


@pytest.mark.parametrize("parts", [2, 3])
def test_time_goes_on_in_joined_mxf(tmp_path, parts):
    """FFmpeg gives each picture behind the first part the time of its last one."""
    part = render(tmp_path / "a.mxf", "mpeg2video", size=(160, 128)).read_bytes()
    (tmp_path / "a.mxf").write_bytes(part * parts)
    frames, states, _ = read(tmp_path / "a.mxf")
    assert [frame.time.pts_seconds for frame in frames] == pytest.approx([n / 25 for n in range(12 * parts)])
    assert (states[-1].state, states[-1].detail) == ("ended", "")
