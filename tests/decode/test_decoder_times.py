"""When a frame was: by its time stamp, and by the clock."""

from __future__ import annotations

import time

import av
import pytest

from engine.config import DecodeConfig
from engine.contracts.recording import Reading
from engine.decode.decoder import Decoder
from tests.decode.clips import render
from tests.decode.reading import read


def test_time_stamps_are_untouched_and_arrival_is_wall_clock(tmp_path):
    path = render(tmp_path / "vfr.mkv", pts=[0, 1, 2, 10, 11, 40, 41, 42, 43, 60, 61, 62])
    before = time.time_ns()
    frames, _, order = read(path)
    after = time.time_ns()
    assert [f.time.pts for f in frames] == [0, 40, 80, 400, 440, 1600, 1640, 1680, 1720, 2400, 2440, 2480]
    assert {f.time.time_base for f in frames} == {(1, 1000)}
    assert [f.time.pts_seconds for f in frames] == [f.time.pts / 1000 for f in frames]
    captured = [f.time.captured_ns for f in frames]
    assert captured == sorted(captured)
    assert before <= captured[0]
    assert captured[-1] <= after
    assert "discontinuity" not in order


def test_frames_without_time_stamps_follow_the_rate(tmp_path):
    frames, _, order = read(render(tmp_path / "raw.h264", container="h264"))
    assert {f.time.pts for f in frames} == {None}
    assert [f.time.pts_seconds for f in frames] == pytest.approx([index * 0.04 for index in range(12)])
    assert "discontinuity" not in order


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("mpeg4", {"bf": "2"}),
        ("mpeg4", {}),
        ("libx264", {"bf": "0"}),
        ("libx264", {"bf": "3", "x264-params": "b-adapt=0"}),
        ("mpeg2video", {"bf": "1"}),
    ],
)
def test_avi_which_numbers_the_decoding_shows_its_pictures_at_their_times(tmp_path, codec, options):
    frames, _, order = read(render(tmp_path / "b.avi", codec=codec, codec_options=options, frames=24))
    assert [f.time.pts_seconds for f in frames] == pytest.approx([index / 25 for index in range(24)])
    assert [f.time.pts for f in frames] == list(range(24))
    assert "discontinuity" not in order


def test_time_stamps_that_jump_are_announced(tmp_path):
    clip = render(tmp_path / "a.ts").read_bytes()
    (tmp_path / "twice.ts").write_bytes(clip * 2)
    _, states, order = read(tmp_path / "twice.ts")
    assert order == ["connecting", "live", *["frame"] * 12, "discontinuity", *["frame"] * 12, "ended"]
    assert states[2].reason == "timestamp_jump"
    _, states, order = read(render(tmp_path / "gap.mkv", pts=[0, 1, 2, 3, 4, 5, 1000, 1001, 1002, 1003, 1004, 1005]))
    assert order[8:10] == ["discontinuity", "frame"]
    assert states[2].reason == "timestamp_jump"


@pytest.mark.parametrize(
    ("name", "offset_seconds"), [("a.mkv", 3600), ("a.mp4", 3600), ("a.ts", 3600), ("a.ts", 0), ("a.flv", 100), ("a.mpg", 0)]
)
def test_time_counts_from_the_beginning_and_the_time_stamp_stays(tmp_path, name, offset_seconds):
    codec, container = ("mpeg2video", "mpeg") if name.endswith("mpg") else ("libx264", None)
    options = {"output_ts_offset": str(offset_seconds)} if offset_seconds else {}
    path = render(tmp_path / name, codec, container=container, container_options=options, codec_options={"bf": "0"})
    frames, states, _ = read(path)
    assert [f.time.pts_seconds for f in frames] == pytest.approx([0.04 * n for n in range(12)], abs=0.0015)
    with av.open(str(path)) as container:
        assert [f.time.pts for f in frames] == [raw.pts for raw in container.decode(video=0)]
    if name == "a.mkv":
        assert states[-1].frames_expected == pytest.approx(12, abs=1)


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.mpg"])
def test_time_goes_on_through_files_that_were_joined(tmp_path, name):
    codec, container = ("mpeg2video", "mpeg") if name.endswith("mpg") else ("libx264", None)
    part = render(tmp_path / name, codec, container=container, codec_options={"bf": "0"}).read_bytes()
    (tmp_path / name).write_bytes(part * 2)
    frames, _, order = read(tmp_path / name)
    assert [f.time.pts_seconds for f in frames] == pytest.approx([0.04 * n for n in range(24)], abs=0.01)
    assert order.count("discontinuity") == 1


@pytest.mark.parametrize(
    ("name", "metadata", "expected"),
    [
        ("a.mp4", {"creation_time": "2026-03-01T13:05:00.000000Z"}, 1_772_370_300),
        ("a.mkv", {"creation_time": "2026-03-01T13:05:00.000000Z"}, 1_772_370_300),
        ("a.mov", {"creation_time": "2026-03-01T14:05:00+01:00"}, 1_772_370_300),
        ("a.mp4", {}, None),
        ("a.mp4", {"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
        ("a.nut", {"creation_time": "9000-01-01T00:00:00.000000Z"}, None),
    ],
)
def test_the_wall_clock_comes_from_the_metadata(tmp_path, name, metadata, expected):
    plain, path = render(tmp_path / f"plain_{name}"), tmp_path / name
    with av.open(str(plain)) as source, av.open(str(path), "w") as output:
        output.metadata.update(metadata)
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    frames, states, _ = read(path)
    if expected is None:
        assert {f.time.recorded_ns for f in frames} == {None}
        assert (states[-1].started_ns, states[-1].clock) == (None, "")
    else:
        assert (states[-1].started_ns, states[-1].clock) == (expected * 10**9, "creation_time")
        assert frames[10].time.recorded_ns == pytest.approx(expected * 10**9 + frames[10].time.pts_seconds * 1e9, abs=1000)
    told = Reading(started_ns=5, clock="file_name")
    for reading, clock in ((told, (5, "file_name")), (Reading(trusts_metadata=False), (None, ""))):
        with Decoder("cam", path, DecodeConfig(), reading=reading) as decoder:
            end = list(decoder)[-1]
        assert (end.started_ns, end.clock) == clock
