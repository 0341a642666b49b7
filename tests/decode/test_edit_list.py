"""Pictures that are in a file and that its edit list does not show."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from engine.config import DecodeConfig
from engine.decode.decoder import Decoder
from tests.decode.clips import render
from tests.decode.reading import read

PLAYED, DWELLS = 1 << 16, 0
"""Rates of an edit."""
HELD = 48


def edited(path: Path, *edits: tuple[float, float, int]) -> Path:
    """Render 48 pictures, 25 a second and a key frame every 12, with an edit list, see ``with_edits``."""
    return with_edits(render(path, frames=HELD, codec_options={"bf": "0", "g": "12"}), *edits)


def with_edits(path: Path, *edits: tuple[float, float, int]) -> Path:
    """Give the video of an MP4 or QuickTime file an edit list.

    Args:
        path: of the file.
        edits: seconds shown, from which second (-1: nothing), rate.
    """
    data = bytearray(path.read_bytes())
    at, places = 0, []
    for name in (b"moov", b"trak", b"edts", b"elst"):
        at = data.index(name, at)
        places.append(at - 4)
    ticks = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    entries = [(round(shown * 1000), -1 if begins < 0 else round(begins * ticks), rate) for shown, begins, rate in edits]
    box = struct.pack(">4sII", b"elst", 0, len(entries)) + b"".join(struct.pack(">IiI", *entry) for entry in entries)
    was = struct.unpack_from(">I", data, places[-1])[0]
    data[places[-1] : places[-1] + was] = struct.pack(">I", len(box) + 4) + box
    for place in places[:-1]:
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + len(box) + 4 - was)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([(0.96, 0.96, PLAYED)], 24),
        ([(0.72, 0.72 + 0.48 / 2, PLAYED)], 18),
        ([(0.96, 0, PLAYED)], 24),
        ([(0.48, 0, PLAYED), (0.48, 1.44, PLAYED)], 24),
        ([(0.48, 0.96, PLAYED), (0.48, 0, PLAYED)], 24),
        ([(0.48, 0, PLAYED), (0.48, 0, PLAYED)], 24),
        ([(0.04, 0.72, PLAYED)], 1),
    ],
    ids=[
        "its beginning",
        "up to between key frames",
        "its end",
        "its middle",
        "another order",
        "one part twice",
        "all but one",
    ],
)
def test_what_is_left_out_is_told(tmp_path, name, edits, shown):
    path = edited(tmp_path / name, *edits)
    frames, states, _ = read(path, DecodeConfig())
    assert len(frames) == shown
    assert states[-1].state == "ended"
    assert f"{path} holds 48 pictures, of which its edit list shows {shown}" in states[-1].detail
    assert next(state.frames_expected for state in states if state.state == "live") == shown


@pytest.mark.parametrize(
    "edits",
    [[(3600, -1, PLAYED)], [(1, 100, PLAYED)], [(0, 0, PLAYED)]],
    ids=["an hour of nothing", "beyond its end", "no length"],
)
def test_one_that_shows_nothing_says_so(tmp_path, edits):
    frames, states, _ = read(edited(tmp_path / "a.mp4", *edits))
    assert (frames, states[-1].state, states[-1].reason) == ([], "failed", "no_video")
    assert "of which its edit list shows none" in states[-1].detail


def test_one_whose_pictures_are_damaged_is_not_called_shortened(tmp_path):
    """That was the reason of its failure."""
    path = edited(tmp_path / "a.mp4", (0.96, 0.96, PLAYED))
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    size = struct.unpack_from(">I", data, begin - 8)[0] - 8
    data[begin : begin + size] = random.Random(1).randbytes(size)
    path.write_bytes(data)
    frames, states, _ = read(path)
    assert (frames, states[-1].state, states[-1].reason) == ([], "failed", "codec")
    assert "edit list" not in states[-1].detail


@pytest.mark.parametrize("edits", [(), [(0.96, 0.96, PLAYED)]], ids=["none", "its beginning"])
@pytest.mark.parametrize(
    ("box", "place", "value"),
    [(b"stco", 8, 0), (b"stsc", 8, 0), (b"stsz", 12, 0), (b"stsz", 12, 10 * HELD), (b"stsz", 12, HELD // 2)],
    ids=["no places", "no chunks", "no sizes", "too many sizes", "half of the sizes"],
)
def test_one_whose_index_is_damaged_is_not_called_shortened(tmp_path, edits, box, place, value):
    """Pictures that the index lost were laid to the edit list."""
    path = edited(tmp_path / "a.mp4", *(edits or [(1.92, 0, PLAYED)]))
    data = bytearray(path.read_bytes())
    struct.pack_into(">I", data, data.index(box) + place, value)
    path.write_bytes(data)
    with Decoder("a", path, DecodeConfig()) as decoder:
        assert "edit list" not in list(decoder)[-1].detail


@pytest.mark.parametrize(
    "edits",
    [[(1.92, 0, PLAYED)], [(3, -1, PLAYED), (1.92, 0, PLAYED)], [(1.92, 0, DWELLS)]],
    ids=["all", "a late start", "a still"],
)
def test_one_that_shows_everything_says_nothing(tmp_path, edits):
    frames, states, _ = read(edited(tmp_path / "a.mp4", *edits))
    assert (len(frames), states[-1].state, states[-1].detail) == (HELD, "ended", "")


@pytest.mark.parametrize("movflags", ["frag_keyframe+empty_moov", "frag_keyframe", "faststart", "frag_every_frame+empty_moov"])
def test_nor_does_one_that_is_written_in_another_way(tmp_path, movflags):
    path = render(tmp_path / "a.mp4", frames=HELD, container_options={"movflags": movflags})  # with B-frames: an edit list
    _, states, _ = read(path)
    assert (states[-1].state, states[-1].detail) == ("ended", "")
