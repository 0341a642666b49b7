"""Recordings of every kind come as frames."""

from __future__ import annotations

import os

import av
import cv2
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Reading
from engine.decode.decoder import Decoder
from tests.assets import shared
from tests.decode.clips import X265, picture, render, with_display_matrix
from tests.decode.reading import open_in, read

FOOTAGE = [
    "video/asl_again.mkv", "video/asl_brother.mkv", "video/asl_hungry.mkv", "video/car-detection.mp4",
    "video/store-aisle-detection.gif", "video/face-demographics-walking-and-pause.gif",
]  # fmt: skip


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


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.flv"])
def test_live_tells_rate_and_length(tmp_path, name):
    path = render(tmp_path / name, frames=50)
    live = read(path)[1][1]
    assert live.frame_rate == pytest.approx(25)
    assert live.frames_expected == pytest.approx(50, abs=2)
    skipping = read(path, DecodeConfig(skip_frame="nonkey"))[1][1]
    assert (skipping.frame_rate, skipping.frames_expected) == (0.0, 0)


def test_odd_file_names_are_files_and_not_protocols(tmp_path):
    path = render(tmp_path / "a.mp4", frames=2)
    for name in ("cam:1.mp4", "100%d.mp4", "with space.mp4", os.fsdecode(b"latin\xe9.mp4")):
        odd = tmp_path / name
        odd.write_bytes(path.read_bytes())
        assert len(read(odd)[0]) == 2
    read(tmp_path / os.fsdecode(b"missing\xe9.mp4"))


def test_the_file_is_closed_on_every_path(tmp_path):
    path = render(tmp_path / "a.mp4")
    with Decoder("cam", path, DecodeConfig()) as decoder:
        items = iter(decoder)
        for _ in range(4):
            next(items)
        assert open_in(tmp_path) == [str(path)]
        decoder.close()
        assert open_in(tmp_path) == []
        assert list(decoder) == []
    with Decoder("cam", path, DecodeConfig()):
        pass
    read(path)
    assert open_in(tmp_path) == []


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


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.webp", "a.tiff"])
def test_a_photograph_is_a_recording_of_one_frame(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), picture(0, 96, 64))
    frames, states, _ = read(tmp_path / name)
    assert len(frames) == 1
    assert states[1].frames_expected == 1


def test_a_thumbnail_is_not_taken_for_the_video(tmp_path):
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("mjpeg", rate=25), output.add_stream("libx264", rate=25)]
        for stream, pix_fmt in zip(streams, ("yuvj420p", "yuv420p"), strict=True):
            stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        for index in range(12):
            for stream in streams if index == 0 else streams[1:]:
                frame = av.VideoFrame.from_ndarray(picture(index, 96, 64), "rgb24").reformat(format=stream.pix_fmt)
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    with Decoder("cam", path, DecodeConfig()) as decoder:
        *items, last = decoder
    assert sum(isinstance(item, Frame) for item in items) == 12
    assert "video stream 1 of 2 was read" in last.detail
