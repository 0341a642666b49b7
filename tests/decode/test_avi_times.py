"""Times of pictures in an AVI: behind a damaged part, and where it ends with pictures that only repeat the one before."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from engine.contracts.recording import Recording
from engine.footage.clip import Moment, cut_clip
from tests.decode.clips import render
from tests.decode.reading import read

_KINDS = [("mpeg4", "yuv420p"), ("mjpeg", "yuvj420p"), ("libx264", "yuv420p")]


def _without_a_part(path: Path) -> Path:
    """Overwrite a file from the 31st picture to a little behind the 50th."""
    with av.open(str(path)) as container:
        places = [packet.pos or 0 for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[places[30] : places[50] + 40] = bytes(places[50] + 40 - places[30])
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("codec", "pix_fmt"), _KINDS)
def test_behind_a_damaged_part_time_is_that_of_the_index(tmp_path, codec, pix_fmt):
    path = render(
        tmp_path / "a.avi", codec, pix_fmt, frames=100, codec_options={"g": "10"} if codec in ("mpeg4", "libx264") else {}
    )
    whole = {frame.time.pts_seconds: frame.planes.y for frame in read(path)[0]}
    frames, states, _ = read(_without_a_part(path))
    unharmed = [frame for frame in frames if not frame.damaged]
    assert len(unharmed) >= 60
    for frame in unharmed:
        np.testing.assert_array_equal(frame.planes.y, whole[frame.time.pts_seconds])
    assert "of its pictures are missing" in states[-1].detail


def test_a_clip_behind_it_is_of_the_moment_that_was_asked_for(tmp_path):
    path = _without_a_part(render(tmp_path / "a.avi", "mjpeg", "yuvj420p", frames=100))
    shown = {frame.time.pts_seconds: frame.planes.y for frame in read(path)[0]}
    made = cut_clip(Recording("a", path), Moment(3.0, 3.2), tmp_path / "clip.mkv")
    first = read(made.path)[0][0].planes.y
    assert (first == shown[made.begins_seconds]).all()


def _with_repeats(path: Path, count: int) -> Path:
    """Append pictures without content to an AVI, as recorders do while nothing changes."""
    data = bytearray(path.read_bytes())
    index = data.rindex(b"idx1")
    movi = data.index(b"LIST", data.index(b"movi") - 8)
    length = struct.unpack_from("<I", data, index + 4)[0]
    entries = bytes(data[index + 8 : index + 8 + length])
    added = b"00dc\0\0\0\0" * count
    places = (struct.pack("<4sIII", b"00dc", 0, index - movi - 8 + 8 * number, 0) for number in range(count))
    entries += b"".join(places)
    data[index:] = added + b"idx1" + struct.pack("<I", len(entries)) + entries
    struct.pack_into("<I", data, movi + 4, index + len(added) - movi - 8)
    struct.pack_into("<I", data, 4, len(data) - 8)
    for at in (data.index(b"avih") + 24, data.index(b"strh") + 40):
        struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] + count)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("codec", "pix_fmt"), _KINDS)
@pytest.mark.parametrize("count", [40, 400])
def test_pictures_that_repeat_the_last_one_are_not_missing(tmp_path, codec, pix_fmt, count):
    path = _with_repeats(render(tmp_path / "a.avi", codec, pix_fmt, frames=50), count)
    with av.open(str(path)) as container:
        assert container.streams.video[0].duration >= 50 + count
    frames, states, _ = read(path)
    assert (len(frames), states[-1].state, states[-1].detail) == (50, "ended", "")
