"""``engine.jobs.segments`` and ``engine.jobs.scan``: where a recording is cut, and that reading begins there as it should."""

from __future__ import annotations

import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Recording, Start
from engine.decode.recording import reader_of
from engine.jobs.scan import Key, Scan, scan
from engine.jobs.segments import WHOLE, segments_of, start_before
from tests.decode.clips import render


@given(st.lists(st.integers(1, 400), max_size=40), st.integers(1, 100), st.floats(0.5, 60))
def test_segments_cover_a_recording(gaps, rest, seconds):
    frames, keys = 0, [Key(0, -1, 0, 0.0, 0, 0.0)]
    for gap in gaps:
        frames += gap
        keys.append(Key(frames, frames - 1, frames, frames / 25, frames, 0.0))
    found = segments_of(Scan(frames + rest, (frames + rest) / 25, keys), seconds)
    assert found[0].start is None
    assert found[-1].stop_after is None
    assert sum(segment.frames for segment in found) == frames + rest
    for before, segment in pairwise(found):
        assert segment.start is not None
        assert before.stop_after == segment.first_frame - 1
        assert (segment.first_frame - before.first_frame) / 25 >= seconds - 1e-6
        assert segment.first_frame - segment.start.seek_ticks >= 12
        assert segment.start.after_ticks == segment.first_frame - 1


def _frames(recording: Recording, start: Start | None = None) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    with reader_of(recording, DecodeConfig(motion=True), 3, start=start) as reader:
        for item in reader:
            if isinstance(item, Frame):
                planes, when = item.planes, item.time
                pixels = [zlib.crc32(plane.tobytes()) for plane in (planes.y, planes.u, planes.v)]
                blocks = None if planes.blocks is None else zlib.crc32(planes.blocks.qp.tobytes())
                told.append((when.frame_index, when.pts, when.pts_seconds, item.detect, item.damaged, blocks, *pixels))
            elif item.state == "discontinuity":
                told.append((item.state, item.reason))
    return told


OPEN = {"x264-params": "open-gop=1:bframes=3:keyint=20:min-keyint=20:scenecut=0"}
PLAIN = {"g": "20", "bf": "2"}
UNEVEN = [index + 2 * (index // 5) + (400 if index >= 70 else 0) for index in range(120)]


@pytest.mark.parametrize(
    ("name", "codec", "options", "pts"),
    [
        ("plain.mp4", "libx264", PLAIN, None),
        ("open.mp4", "libx264", OPEN, None),
        ("open.mkv", "libx264", OPEN, None),
        ("open.ts", "libx264", OPEN, None),
        ("mpeg.ts", "mpeg2video", {"g": "12", "bf": "2"}, None),
        ("uneven.mkv", "libx264", PLAIN, UNEVEN),
        ("uneven.ts", "libx264", PLAIN, UNEVEN),
        ("xvid.avi", "mpeg4", {"g": "20"}, None),
        ("reordered.avi", "libx264", PLAIN, None),
        ("intra.mov", "mjpeg", {"strict": "-1"}, None),
    ],
)
def test_reading_from_the_middle_gives_the_frames_of_reading_from_the_beginning(tmp_path: Path, name, codec, options, pts):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    clip = render(tmp_path / name, codec, pix_fmt, frames=120, codec_options=options, pts=pts)
    recording = Recording("clip", clip)
    whole, found = _frames(recording), scan(recording, DecodeConfig())
    segments = segments_of(found, 0.5)
    if found.whole:
        pytest.fail(found.whole)
    assert len(segments) >= 3
    assert found.frames == 120
    for segment in segments[1:]:
        begin = next(place for place, told in enumerate(whole) if told[0] == segment.first_frame)
        assert _frames(recording, segment.start) == whole[begin:]


def test_nor_where_time_stands_still_in_between(tmp_path: Path):
    """Behind stamps that repeat the clock waits for them; one that begins there would not."""
    stamps = [index if index < 10 else max(9, index - 30) for index in range(120)]
    recording = Recording("clip", render(tmp_path / "a.mkv", "ffv1", frames=120, codec_options={"g": "1"}, pts=stamps))
    whole, found = _frames(recording), scan(recording, DecodeConfig())
    before = whole[59][1]
    assert isinstance(before, int)
    start = start_before(found.keys, 60, before, 60)
    assert start is not None
    assert _frames(recording, start) == whole[60:]


def test_a_place_that_is_not_there_is_not_taken_for_another(tmp_path: Path):
    recording = Recording("clip", render(tmp_path / "plain.mp4", frames=80, codec_options=PLAIN))
    [_, segment, *_] = segments_of(scan(recording, DecodeConfig()), 1.0)
    assert segment.start is not None
    wrong = Start(segment.first_frame, segment.start.after_ticks + 1, 0, segment.start.seek_ticks, 0.0)
    with reader_of(recording, DecodeConfig(), start=wrong) as reader:
        *_, last = reader
    assert (last.state, last.reason) == ("failed", "codec")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: Recording("series", folder, (folder / "a.png", folder / "b.png")), "made of pictures"),
        (lambda folder: Recording("none", folder / "missing.mp4"), "cannot be read"),
        (lambda folder: Recording("raw", render(folder / "raw.h264", frames=60, codec_options=PLAIN)), "no time stamp"),
        (lambda folder: Recording("one", render(folder / "one.mp4", frames=60, codec_options={"g": "300"})), "one key frame"),
    ],
)
def test_what_cannot_be_cut_says_why(tmp_path: Path, make, words):
    found = scan(make(tmp_path), DecodeConfig())
    assert words in found.whole
    assert segments_of(found, 1.0) == [WHOLE] if found.frames == 0 else len(segments_of(found, 1.0)) == 1


def test_a_decoder_that_skips_pictures_is_not_cut(tmp_path: Path):
    recording = Recording("clip", render(tmp_path / "plain.mp4", frames=80, codec_options=PLAIN))
    assert scan(recording, DecodeConfig(skip_frame="nonref")).whole
