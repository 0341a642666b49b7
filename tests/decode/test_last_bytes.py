"""Files of kinds that FFmpeg reads as if they ended wherever they are cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.decode.last_bytes import ends_within_packet
from tests.decode.clips import cut, render
from tests.decode.reading import read

TOLD = "ends in the middle of a packet: it may be cut off or damaged"
_SMALL = ("yuv420p", (96, 64))
_KINDS = {
    "a.gif": ("gif", "rgb8", (96, 64), {}),
    "a.y4m": ("wrapped_avframe", *_SMALL, {}),
    "a.dv": ("dvvideo", "yuv420p", (720, 576), {}),
    "a.ts": ("libx264", *_SMALL, {}),
    "a.m2ts": ("mpeg2video", *_SMALL, {"mpegts_m2ts_mode": "1"}),
    "a.mpg": ("mpeg1video", *_SMALL, {}),
    "a.vob": ("mpeg2video", *_SMALL, {}),
    "a.ogv": ("libvpx", *_SMALL, {}),
    "a.mkv": ("libx264", *_SMALL, {"live": "1"}),
}


def whole(path: Path, frames: int = 30) -> Path:
    """Write one that lacks nothing; the pictures of DV are large."""
    codec, pix_fmt, size, options = _KINDS[f"a{path.suffix}"]
    return render(path, codec, pix_fmt, size, frames, container_options=options)


@pytest.mark.parametrize("name", _KINDS)
def test_one_that_is_cut_off_is_told(tmp_path: Path, name: str) -> None:
    path = whole(tmp_path / f"whole_{name}", 4 if name == "a.dv" else 30)
    _, states, _ = read(path)
    assert (states[-1].state, states[-1].detail) == ("ended", "")
    frames, states, _ = read(cut(path, 0.607, tmp_path / name))
    assert frames
    assert states[-1].state == "ended"
    assert TOLD in states[-1].detail


@pytest.mark.parametrize("name", ["a.gif", "a.ts", "a.m2ts", "a.mpg", "a.ogv", "a.mkv"])
def test_bytes_of_any_kind_and_number_are_looked_at(tmp_path: Path, name: str) -> None:
    data, path = whole(tmp_path / name, 12).read_bytes(), tmp_path / "cut"
    for length in (0, 1, 4, 20, 40, 400, 2000, 3000):
        path.write_bytes(data[:length])
        for kind in ("gif", "mpegts", "mpeg", "ogg", "matroska,webm"):
            for read_to_byte in (length, length // 2):
                ends_within_packet(path, kind, read_to_byte)


@pytest.mark.parametrize(("name", "kind"), [("a.gif", "gif"), ("a.ts", "mpegts"), ("a.vob", "mpeg"), ("a.mpg", "mpeg")])
def test_what_stands_behind_a_whole_one_is_nobodys(tmp_path: Path, name: str, kind: str) -> None:
    path = whole(tmp_path / name, 12)
    data = path.read_bytes()
    for behind in (b"", b"\n", b"\0" * 5000):
        path.write_bytes(data + behind)
        assert not ends_within_packet(path, kind, path.stat().st_size)


def test_what_was_joined_to_a_whole_one_is_no_rest_of_it(tmp_path: Path) -> None:
    path = whole(tmp_path / "a.y4m")
    path.write_bytes(2 * path.read_bytes())
    _, states, _ = read(path)
    assert TOLD not in states[-1].detail
