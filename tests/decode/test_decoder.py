from __future__ import annotations

import os
import time
import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Reading
from engine.contracts.streams import StreamChanged
from engine.decode.decoder import Decoder
from engine.decode.planes import PlaneConverter
from tests.assets import shared
from tests.carried import carried
from tests.decode.clips import X265, cut, picture, render, with_display_matrix

FOOTAGE = [
    "video/asl_again.mkv", "video/asl_brother.mkv", "video/asl_hungry.mkv", "video/car-detection.mp4",
    "video/store-aisle-detection.gif", "video/face-demographics-walking-and-pause.gif",
]  # fmt: skip


def read(path: Path, config: DecodeConfig | None = None, every: int = 1) -> tuple[list[Frame], list[StreamChanged], list[str]]:
    """Return the frames, the states and the order of both; checks what must hold for any input."""
    with Decoder("cam", path, config or DecodeConfig(), every) as decoder:
        items = list(decoder)
    frames = [item for item in items if isinstance(item, Frame)]
    states = [item for item in items if isinstance(item, StreamChanged)]
    assert [f.time.frame_index for f in frames] == list(range(len(frames)))
    assert states[0].state == "connecting"
    assert [s.state for s in states].count("live") == bool(frames)
    assert states[-1].state in {"ended", "failed"}
    assert sum(s.state in {"ended", "failed"} for s in states) == 1
    assert items[-1] is states[-1]
    assert states[-1].counters["frames"] == len(frames)
    assert (states[-1].detail == "" or states[-1].state == "failed") or "may be cut" in states[-1].detail
    for state in states:
        assert carried(state) == state
        assert "\n" not in state.detail
    order = [item.state if isinstance(item, StreamChanged) else "frame" for item in items]
    return frames, states, order


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("h264.mp4", {}),
        ("h264.mkv", {}),
        ("h264.ts", {}),
        ("h264.mov", {}),
        ("h264.flv", {}),
        ("hevc.mp4", {"codec": "libx265", "codec_options": X265}),
        ("vp9.webm", {"codec": "libvpx-vp9", "codec_options": {"cpu-used": "8"}}),
        ("mpeg4.avi", {"codec": "mpeg4"}),
        ("mpeg2.mpg", {"codec": "mpeg2video", "container": "mpeg"}),
        ("motion.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
        ("raw.mjpeg", {"codec": "mjpeg", "pix_fmt": "yuvj422p", "container": "mjpeg"}),
        ("raw.h264", {"container": "h264"}),
        ("anim.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("ten_bit.mkv", {"pix_fmt": "yuv420p10le"}),
        ("422.mkv", {"pix_fmt": "yuv422p"}),
        ("444_odd.mkv", {"pix_fmt": "yuv444p", "size": (63, 49)}),
        ("odd.mkv", {"codec": "ffv1", "size": (63, 49)}),
        ("grey.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
        ("rgb.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}),
    ],
)
def test_every_container_and_pixel_format(tmp_path, name, options):
    path = render(tmp_path / name, **options)
    frames, states, order = read(path)
    size = options.get("size", (96, 64))
    assert order == ["connecting", "live", *["frame"] * 12, "ended"]
    assert [(s.width_px, s.height_px) for s in states[1:]] == [size, size]
    assert (states[-1].reason, states[-1].counters["packets"]) == ("end_of_file", 12)
    seconds = np.array([f.time.pts_seconds for f in frames])
    assert np.diff(seconds) == pytest.approx(0.04, abs=0.0011)
    with av.open(str(path)) as container:
        for frame, raw in zip(frames, container.decode(video=0), strict=True):
            assert frame.time.pts == raw.pts
            assert (frame.planes.width_px, frame.planes.height_px) == size
            expected = raw.reformat(format="gray8", src_color_range=2, dst_color_range=2).to_ndarray()
            if not raw.format.is_rgb:
                assert np.abs(frame.planes.y.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("relative", FOOTAGE)
def test_real_footage_has_as_many_frames_as_opencv_finds_and_the_same_luma(relative):
    path = shared(relative)
    frames, states, _ = read(path)
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.grab():
        count += 1
    capture.release()
    assert len(frames) == count
    assert (states[-1].state, states[-1].counters["corrupt_packets"]) == ("ended", 0)
    with av.open(str(path)) as container:
        for frame, raw in zip(frames, container.decode(video=0), strict=True):
            if raw.format.is_rgb:
                grey = raw.to_ndarray(format="gray").astype(int)
                luma = (frame.planes.y.astype(int) - 16) * 255 / 219  # RGB becomes video range
                assert np.abs(luma - grey).mean() < 1.0
            else:  # equal ranges: PyAV's own conversion would stretch video range to 0 to 255
                assert np.array_equal(
                    frame.planes.y, raw.reformat(format="gray8", src_color_range=2, dst_color_range=2).to_ndarray()
                )
            if frame.time.frame_index >= 40:
                break


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


def test_avi_with_b_frames_keeps_its_order(tmp_path):
    path = render(tmp_path / "b.avi", codec="mpeg4", codec_options={"bf": "2"})
    frames, _, order = read(path)
    assert len(frames) == 12
    assert np.diff([f.time.pts_seconds for f in frames]) == pytest.approx(0.04)
    assert "discontinuity" not in order


def test_the_resolution_may_change_in_the_middle(tmp_path):
    large = render(tmp_path / "large.ts", size=(128, 96))
    small = render(tmp_path / "small.ts", size=(64, 48))
    both = tmp_path / "both.ts"
    both.write_bytes(large.read_bytes() + small.read_bytes())
    frames, states, order = read(both, every=5)
    assert order == ["connecting", "live", *["frame"] * 12, "discontinuity", *["frame"] * 12, "ended"]
    assert (states[2].reason, states[2].width_px, states[2].height_px) == ("resolution_change", 64, 48)
    assert frames[11].planes.y.shape == (96, 128)
    assert frames[12].planes.y.shape == (48, 64)
    assert [f.time.frame_index for f in frames if f.detect] == [0, 5, 10, 12, 17, 22]


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
    ("matrix", "upright"),
    [
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),  # what a phone writes that is held upright
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), np.transpose),
        ((1, 0, 0, 1), lambda p: p),
    ],
)
def test_rotation_metadata_is_applied(tmp_path, matrix, upright):
    plain = render(tmp_path / "plain.mp4", frames=3)
    expected, _, _ = read(plain)
    frames, states, _ = read(with_display_matrix(plain, matrix, tmp_path / "turned.mp4"))
    for left, right in zip(frames, expected, strict=True):
        for name in ("y", "u", "v"):
            plane = getattr(left.planes, name)
            np.testing.assert_array_equal(plane, upright(getattr(right.planes, name)))
            assert plane.strides[1] == 1
    height, width = frames[0].planes.y.shape
    assert (states[1].width_px, states[1].height_px) == (width, height)


def test_the_decoder_itself_can_skip(tmp_path):
    path = render(tmp_path / "gop.mp4", frames=40, codec_options={"g": "10", "bf": "2", "sc_threshold": "0"})
    counts = {skip: len(read(path, DecodeConfig(skip_frame=skip))[0]) for skip in ("none", "nonref", "nonkey")}
    assert counts["none"] == 40
    assert counts["nonkey"] == 4
    assert counts["nonkey"] < counts["nonref"] < counts["none"]
    seconds = [f.time.pts_seconds for f in read(path, DecodeConfig(skip_frame="nonkey"))[0]]
    assert np.diff(seconds) == pytest.approx(0.4)


def test_every_nth_frame_is_for_the_detector(tmp_path):
    path = render(tmp_path / "a.mp4")
    assert [f.detect for f in read(path, every=3)[0]] == [True, False, False] * 4
    assert all(f.detect for f in read(path)[0])


@pytest.mark.parametrize("threads", [1, 2, 0])
def test_threads_change_nothing_in_the_result(tmp_path, threads):
    path = render(tmp_path / "a.mp4")
    expected, _, _ = read(path)
    frames, _, _ = read(path, DecodeConfig(thread_count=threads))
    for left, right in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(left.planes.y, right.planes.y)
        assert left.time.pts == right.time.pts


def test_planes_stay_valid_while_they_are_held(tmp_path):
    path = render(tmp_path / "a.mp4", frames=40)
    with Decoder("cam", path, DecodeConfig()) as decoder:
        held = [(f.planes, f.planes.y.copy()) for f in decoder if isinstance(f, Frame)]
    for planes, copy in held:
        np.testing.assert_array_equal(planes.y, copy)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"container_options": {"movflags": "faststart"}}),
        ("a.mov", {"container_options": {"movflags": "faststart"}}),
        ("a.flv", {}),
        ("a.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_a_cut_file_gives_its_frames_and_then_fails(tmp_path, name, options, share):
    whole = render(tmp_path / name, frames=40, **options)
    frames, states, _ = read(cut(whole, share, tmp_path / f"cut_{name}"))
    assert (states[-1].state, states[-1].reason) == ("failed", "truncated")
    assert "breaks off" in states[-1].detail
    assert 40 * share * 0.6 < len(frames) < 40
    # The partial packet may be a reference of the last few, which are shown before it.
    for left, right in zip(frames[:-4], read(whole)[0], strict=False):
        np.testing.assert_array_equal(left.planes.y, right.planes.y)


def test_an_mp4_cut_between_two_packets_is_seen_from_its_index(tmp_path):
    whole = render(tmp_path / "a.mp4", frames=40, container_options={"movflags": "faststart"})
    with av.open(str(whole)) as container:
        ends = [p.pos + p.size for p in container.demux(video=0) if p.size]
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: ends[20]])
    frames, states, _ = read(tmp_path / "cut.mp4")
    assert (states[-1].state, states[-1].reason, len(frames)) == ("failed", "truncated", 21)
    assert "index" in states[-1].detail


def test_a_cut_mkv_ends_and_says_what_its_header_announced(tmp_path):
    whole = render(tmp_path / "a.mkv", frames=100)
    assert read(whole)[1][-1].detail == ""
    _, states, _ = read(cut(whole, 0.5, tmp_path / "cut.mkv"))
    assert states[-1].state == "ended"
    assert "where its header announces 4.0 s: it may be cut off or damaged" in states[-1].detail


def test_damage_between_packets_is_read_over(tmp_path):
    whole = render(tmp_path / "a.mkv", frames=100, codec="mpeg4", container_options={"cluster_time_limit": "200"})
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = np.random.default_rng(0).bytes(300)
    (tmp_path / "bad.mkv").write_bytes(data)
    frames, states, _ = read(tmp_path / "bad.mkv")
    assert 80 < len(frames) < 100
    assert (states[-1].state, states[-1].frames_expected) == ("ended", 100)
    assert frames[-1].time.pts == read(whole)[0][-1].time.pts


def test_damage_in_a_packet_is_counted_and_read_over(tmp_path):
    path = render(tmp_path / "a.mp4", frames=60, codec_options={"g": "10"})
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    start, size = packets[30]
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    frames, states, _ = read(path)
    assert (states[-1].state, states[-1].counters["corrupt_packets"]) == ("ended", 1)
    assert len(frames) == 59


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.flv"])
def test_live_tells_rate_and_length(tmp_path, name):
    path = render(tmp_path / name, frames=50)
    live = read(path)[1][1]
    assert live.frame_rate == pytest.approx(25)
    assert live.frames_expected == pytest.approx(50, abs=2)
    skipping = read(path, DecodeConfig(skip_frame="nonkey"))[1][1]
    assert (skipping.frame_rate, skipping.frames_expected) == (0.0, 0)


def bad_file(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mp4"
    match kind:
        case "empty":
            path.touch()
        case "random":
            path.write_bytes(np.random.default_rng(0).bytes(50_000))
        case "text":
            path = folder / "notes.txt"
            path.write_text("this is not a video\n" * 50)
        case "no_index":
            cut(render(folder / "whole.mp4"), 0.6, path)
        case "directory":
            path.mkdir()
        case "audio":
            with wave.open(str(path), "wb") as audio:
                audio.setparams((1, 2, 8000, 0, "NONE", ""))
                audio.writeframes(bytes(16_000))
    return path


@pytest.mark.parametrize(
    ("kind", "reason", "sentence"),
    [
        ("missing", "not_found", "does not exist"),
        ("empty", "not_a_video", "is empty"),
        ("random", "not_a_video", "is not a video"),
        ("text", "not_a_video", "is not a video"),
        ("no_index", "not_a_video", "its index (moov) is missing"),
        ("directory", "not_a_video", "is a directory"),
        ("audio", "no_video", "has no video stream, only audio"),
    ],
)
def test_what_is_not_a_video_fails_with_its_reason(tmp_path, kind, reason, sentence):
    files = set(os.listdir("/proc/self/fd"))
    frames, states, order = read(bad_file(tmp_path, kind))
    assert (order, frames, states[-1].reason) == (["connecting", "failed"], [], reason)
    assert sentence in states[-1].detail
    assert set(os.listdir("/proc/self/fd")) == files


def test_a_file_that_ends_before_its_first_picture_is_truncated(tmp_path):
    whole = render(tmp_path / "whole.mkv", frames=100)
    with av.open(str(whole)) as container:
        first = next(p for p in container.demux(video=0) if p.size).pos
    (tmp_path / "start.mkv").write_bytes(whole.read_bytes()[:first])
    _, states, order = read(tmp_path / "start.mkv")
    assert (order, states[-1].reason) == (["connecting", "failed"], "truncated")
    assert "ends before its first picture" in states[-1].detail


def test_a_forbidden_file_fails_with_permission(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object):
        raise av.error.PermissionError(13, "Permission denied")

    monkeypatch.setattr(av, "open", refuse)  # the superuser may read everything
    _, states, _ = read(tmp_path / "a.mp4")
    assert (states[-1].reason, states[-1].detail) == ("permission", f"{tmp_path / 'a.mp4'} may not be read: permission denied")


def test_a_stream_whose_packets_are_rubbish_fails_with_codec(tmp_path):
    path = render(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    for start, size in packets:
        data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    frames, states, _ = read(path)
    assert (frames, states[-1].state, states[-1].reason) == ([], "failed", "codec")
    assert "no picture could be decoded from its 12 h264 packets" in states[-1].detail


def test_odd_file_names_are_files_and_not_protocols(tmp_path):
    path = render(tmp_path / "a.mp4", frames=2)
    for name in ("cam:1.mp4", "100%d.mp4", "with space.mp4", os.fsdecode(b"latin\xe9.mp4")):
        odd = tmp_path / name
        odd.write_bytes(path.read_bytes())
        assert len(read(odd)[0]) == 2
    read(tmp_path / os.fsdecode(b"missing\xe9.mp4"))


def test_the_file_is_closed_on_every_path(tmp_path):
    path = render(tmp_path / "a.mp4")
    before = set(os.listdir("/proc/self/fd"))
    with Decoder("cam", path, DecodeConfig()) as decoder:
        items = iter(decoder)
        for _ in range(4):
            next(items)
        assert set(os.listdir("/proc/self/fd")) != before
        decoder.close()
        assert set(os.listdir("/proc/self/fd")) == before
        assert list(decoder) == []
    with Decoder("cam", path, DecodeConfig()):
        pass
    read(path)
    assert set(os.listdir("/proc/self/fd")) == before


def test_ffmpeg_never_logs_into_python():
    assert av.logging.get_level() is None


def test_the_choice_among_video_streams_is_said_and_can_be_made(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=25) for _ in range(2)]
        for stream, (width, height) in zip(streams, ((96, 64), (64, 48)), strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(12):
            for stream in streams:
                rgb = picture(index, stream.width, stream.height)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p")))
        for stream in streams:
            output.mux(stream.encode(None))

    def chosen(video_stream):
        with Decoder("cam", path, DecodeConfig(), reading=Reading(video_stream=video_stream)) as decoder:
            items = list(decoder)
        return {(i.planes.width_px, i.planes.height_px) for i in items if isinstance(i, Frame)}, items[-1]

    sizes, end = chosen(None)
    assert sizes == {(96, 64)}
    assert end.detail == f"{path}: video stream 0 of 2 was read (0: 96x64 h264, 1: 64x48 h264); --video-stream N reads another"
    assert chosen(1)[0] == {(64, 48)}
    sizes, end = chosen(2)
    assert (sizes, end.state, end.reason) == (set(), "failed", "no_video")
    assert end.detail == f"{path} has 2 video streams, 0 to 1: there is no video stream 2"


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


@pytest.mark.parametrize("error", [ValueError("31 is not a valid Type"), KeyError(31), TypeError("no"), IndexError("no")])
def test_a_picture_that_breaks_the_converter_costs_that_picture(tmp_path, monkeypatch, error):
    usual, calls = PlaneConverter.convert, []

    def convert(self, picture, size_px):
        calls.append(picture)
        if len(calls) in (1, 5):
            raise error
        return usual(self, picture, size_px)

    monkeypatch.setattr(PlaneConverter, "convert", convert)
    frames, states, _ = read(render(tmp_path / "a.mp4"))
    assert len(frames) == 10
    assert (states[-1].state, states[-1].counters["corrupt_packets"]) == ("ended", 2)


@pytest.mark.parametrize(("frames", "looked_at"), [(1, 1), (12, 12), (60, 25)])
def test_where_every_picture_breaks_it_the_recording_fails_with_the_reason(tmp_path, monkeypatch, frames, looked_at):
    """And soon: nobody waits for the end of a long one."""
    calls = []

    def convert(self, picture, size_px):
        calls.append(picture)
        raise ValueError("31 is not a valid Type")

    monkeypatch.setattr(PlaneConverter, "convert", convert)
    path = render(tmp_path / "a.mp4", frames=frames)
    given, states, order = read(path)
    assert (given, order) == ([], ["connecting", "failed"])
    assert states[-1].reason == "codec"
    assert str(path) in states[-1].detail
    assert "ValueError: 31 is not a valid Type" in states[-1].detail
    assert len(calls) == looked_at


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.webp", "a.tiff"])
def test_a_photograph_is_a_recording_of_one_frame(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), picture(0, 96, 64))
    frames, states, _ = read(tmp_path / name)
    assert len(frames) == 1
    assert states[1].frames_expected == 1
