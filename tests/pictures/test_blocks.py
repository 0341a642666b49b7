"""The parameters that decoding tells, beside PyAV's own reading of them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.sidedata.sidedata import SideDataContainer

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Appearance, Reading
from engine.decode.decoder import Decoder
from engine.decode.picture_decoder import PictureDecoder
from engine.pictures.blocks import BlockReader, ask_for_blocks
from tests.decode.clips import picture, render, with_display_matrix


def frames_of(path: Path, **appearance) -> list[Frame]:
    with Decoder("cam", path, DecodeConfig(), reading=Reading(Appearance(**appearance))) as decoder:
        return [item for item in decoder if isinstance(item, Frame)]


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        ask_for_blocks(container.streams.video[0].codec_context)
        return list(container.decode(video=0))


def told_by_pyav(path: Path) -> list[np.ndarray]:
    maps = [data for frame in decoded(path) for data in SideDataContainer(frame) if hasattr(data, "qp_map")]
    return [data.qp_map() for data in maps]


def uneven(path: Path, size: tuple[int, int] = (90, 58), **options: str) -> Path:
    """Encode pictures that are flat on the left, so that an encoder spends less there."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "30", "bf": "2", **options})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(6):
            rgb = picture(index, *size)
            rgb[:, : size[0] // 2] //= 16
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p")))
        output.mux(stream.encode(None))
    return path


def test_each_frame_of_a_recording_has_the_parameters_of_its_blocks(tmp_path):
    path = uneven(tmp_path / "odd.mp4")
    right, frames = told_by_pyav(path), frames_of(path)
    assert len(frames) == 6
    assert np.ptp(right[0]) > 2
    for frame, expected in zip(frames, right, strict=True):
        assert frame.planes.blocks is not None
        np.testing.assert_array_equal(frame.planes.blocks.qp, expected)


def test_the_map_is_turned_and_stretched_with_the_picture(tmp_path):
    path = uneven(tmp_path / "upright.mp4")
    turned = with_display_matrix(path, (0, 1, -1, 0), tmp_path / "turned.mp4")
    (expected, *_), (frame, *_) = told_by_pyav(path), frames_of(turned)
    assert frame.planes.blocks is not None
    np.testing.assert_array_equal(frame.planes.blocks.qp, np.rot90(expected, -1))
    assert frame.planes.blocks.left_px == frame.planes.width_px - 16 * 4
    wide = frames_of(path, aspect="45:15")[0].planes
    assert wide.blocks is not None
    assert wide.blocks.block_width_px == pytest.approx(16 * wide.width_px / 90)


def test_blocks_of_interlaced_pictures_count_in_pairs_also_behind_the_filter(tmp_path):
    path = uneven(tmp_path / "fields.mp4", (96, 64), flags="+ilme+ildct", **{"x264-params": "tff=1"})
    frames, expected = frames_of(path), told_by_pyav(path)
    assert len(frames) == len(expected)
    for frame, blocks in zip(frames, expected, strict=True):
        assert frame.planes.blocks is not None
        assert frame.planes.blocks.block_height_px == 32
        assert frame.planes.blocks.qp.mean() == pytest.approx(blocks.mean(), abs=0.5)
    odd = frames_of(uneven(tmp_path / "odd.mp4", (96, 80), flags="+ilme+ildct", **{"x264-params": "tff=1"}))
    assert [frame.planes.blocks for frame in odd] == [None] * 6


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.mp4", "mpeg4", "yuv420p", {}),
        ("a.avi", "mjpeg", "yuvj420p", {}),
        ("a.ts", "mpeg2video", "yuv420p", {}),
    ],
)
def test_other_codecs_tell_nothing_and_are_decoded_as_ever(tmp_path, name, codec, pix_fmt, options):
    frames = frames_of(render(tmp_path / name, codec, pix_fmt, codec_options=options))
    assert [frame.planes.blocks for frame in frames] == [None] * 12


def test_a_map_of_another_size_than_its_picture_is_not_used(tmp_path):
    frame = decoded(uneven(tmp_path / "a.mp4"))[0]
    assert BlockReader().read(frame) is not None
    for size in ((90, 90), (58, 58), (180, 116), (74, 58)):
        other = frame.reformat(*size)
        assert len(SideDataContainer(other)) == len(SideDataContainer(frame))  # it comes along
        assert BlockReader().read(other) is None
    assert BlockReader().read(frame.reformat(96, 64)) is not None
    assert BlockReader().read(av.VideoFrame(90, 58, "yuv420p")) is None


def test_each_map_of_a_damaged_stream_of_changing_size_fits_its_picture(tmp_path):
    streams = [uneven(tmp_path / f"{width}.h264", (width, 58)).read_bytes() for width in (90, 130, 40)]
    data = bytearray(b"".join(streams))
    for at in np.random.default_rng(0).integers(len(streams[0]) // 2, len(data), 12):
        data[at] ^= 0x55
    damaged = tmp_path / "damaged.h264"
    damaged.write_bytes(data)
    planes = [frame.planes for frame in frames_of(damaged)]
    assert len({each.width_px for each in planes}) > 1
    for each in planes:
        if each.blocks is not None:
            assert each.blocks.qp.shape == (-(-each.height_px // 16), -(-each.width_px // 16))
            assert each.blocks.qp.max() <= 51
    assert any(each.blocks is not None for each in planes)


@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "3"}, {"bf": "0", "refs": "4"}])
def test_the_motion_is_that_of_what_is_seen(tmp_path, options):
    """A textured square that walks 3 px to the right and 2 up in each frame."""
    texture = np.random.default_rng(5).integers(0, 255, (8, 8), np.uint8).repeat(6, axis=0).repeat(6, axis=1)
    path, moves = tmp_path / "walk.mp4", []
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "20", "g": "8", **options})
        stream.width, stream.height, stream.pix_fmt = 160, 112, "yuv420p"
        for index in range(16):
            grey = np.full((168, 160), 128, np.uint8)
            grey[60 - 2 * index :][:48, 20 + 3 * index :][:, :48] = texture
            output.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "yuv420p")))
        output.mux(stream.encode(None))
    with Decoder("cam", path, DecodeConfig(motion=True)) as decoder:
        frames = [item for item in decoder if isinstance(item, Frame)]
    for index, frame in enumerate(frames):
        assert frame.planes.blocks is not None
        moves.append(frame.planes.blocks.motion_under((20 + 3 * index, 60 - 2 * index, 48, 48)))
    known = np.array([move for move in moves if move is not None])
    assert len(known) >= 8
    assert np.abs(known - (3, -2)).max() <= 1.5
    assert np.abs(np.median(known, axis=0) - (3, -2)).max() <= 0.25
    assert moves[0] is None
    assert moves[8] is None, "a key frame is predicted from nothing"
    assert all(frame.planes.blocks and frame.planes.blocks.motion is None for frame in frames_of(path))


def test_pictures_of_more_bits_are_on_the_same_scale(tmp_path):
    frames = frames_of(render(tmp_path / "deep.mp4", pix_fmt="yuv420p10le", codec_options={"crf": "30", "bf": "0"}))
    eight = frames_of(render(tmp_path / "eight.mp4", codec_options={"crf": "30", "bf": "0"}))
    means = [np.mean([frame.planes.blocks.qp.mean() for frame in each if frame.planes.blocks]) for each in (frames, eight)]
    assert means[0] == pytest.approx(means[1], abs=4)


def test_a_camera_tells_the_same_as_a_recording(tmp_path):
    path = uneven(tmp_path / "a.h264", bf="0")
    with av.open(str(path)) as container:
        decoder, reader = PictureDecoder(container.streams.video[0].codec_context, "none", motion=True), BlockReader()
        packets = [packet for packet in container.demux(video=0) if packet.size]
        maps = [reader.read(each) for packet in packets for each in decoder.decode(packet)]
    for told, expected in zip(maps, told_by_pyav(path), strict=False):
        assert told is not None
        np.testing.assert_array_equal(told.qp, expected)
    assert len(maps) >= 5
    assert [told is not None and told.motion is not None for told in maps] == [False] + [True] * (len(maps) - 1)
