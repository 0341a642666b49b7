from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from engine.contracts.frames import Planes
from engine.decode.planes import PlaneConverter
from engine.pictures.colour import bgr_from_planes
from tests.decode.clips import picture

SIZES = [(64, 48), (63, 47), (1, 1), (2, 3), (101, 3)]
UNTAGGED, BT709 = 2, 1


def frame_of(pix_fmt: str, size: tuple[int, int] = (64, 48), colour: tuple[int, int] = (UNTAGGED, 0)) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture(3, *size), "rgb24")
    if pix_fmt != "rgb24":
        frame = frame.reformat(format=pix_fmt, threads=1)
    frame.colorspace, frame.color_range = colour
    return frame


def stored(frame: av.VideoFrame, index: int) -> np.ndarray:
    """Return a plane as it lies in the frame, 8 or 16 bit by its samples."""
    plane = frame.planes[index]
    dtype = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    return np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuva420p"])
def test_420_is_taken_without_a_copy(pix_fmt, size):
    frame = frame_of(pix_fmt, size)
    planes = PlaneConverter().convert(frame)
    for index, plane in enumerate((planes.y, planes.u, planes.v)):
        assert np.shares_memory(plane, stored(frame, index))
        np.testing.assert_array_equal(plane, stored(frame, index))
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 0
    assert planes.full_range == (pix_fmt == "yuvj420p")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pix_fmt", ["nv12", "nv21", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv411p"])
def test_luma_of_8_bit_yuv_survives_exactly(pix_fmt, size):
    frame = frame_of(pix_fmt, size)
    np.testing.assert_array_equal(PlaneConverter().convert(frame).y, stored(frame, 0))


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv422p10le", "yuv444p12le", "yuv420p16le"])
def test_luma_of_deep_yuv_is_rounded_to_8_bits(pix_fmt):
    frame = frame_of(pix_fmt)
    expected = stored(frame, 0) / (1 << (frame.format.components[0].bits - 8))
    assert np.abs(PlaneConverter().convert(frame).y - expected).max() <= 1.0


@pytest.mark.parametrize("pix_fmt", ["nv12", "yuv422p10le", "yuv444p", "yuv420p"])
@pytest.mark.parametrize("full_range", [False, True])
def test_range_and_matrix_are_kept(pix_fmt, full_range):
    reference = PlaneConverter().convert(frame_of("yuv420p"))
    frame = frame_of(pix_fmt, colour=(BT709, ColorRange.JPEG if full_range else ColorRange.MPEG))
    planes = PlaneConverter().convert(frame)
    assert (planes.matrix, planes.full_range) == ("bt709", full_range)
    assert np.abs(planes.y.astype(int) - reference.y).max() <= 2  # the tag names the range, it does not stretch the values


@pytest.mark.parametrize(
    ("colour_space", "height", "matrix"),
    [
        (1, 48, "bt709"),
        (5, 800, "bt601"),
        (6, 800, "bt601"),
        (9, 48, "bt2020"),
        (2, 719, "bt601"),
        (2, 720, "bt709"),
        (8, 48, "bt601"),
    ],
)
def test_the_matrix_is_the_tagged_one_or_what_players_take(colour_space, height, matrix):
    frame = av.VideoFrame(16, height, "yuv420p")
    frame.colorspace = colour_space
    assert PlaneConverter().convert(frame).matrix == matrix


@pytest.mark.parametrize("pix_fmt", ["gray", "gray10le", "gray16le", "ya8", "monow"])
@pytest.mark.parametrize("size", SIZES)
def test_grey_has_neutral_chroma_and_its_own_values(pix_fmt, size):
    frame = frame_of(pix_fmt, size)
    planes = PlaneConverter().convert(frame)
    assert planes.full_range
    assert (planes.u == 128).all()
    assert (planes.v == 128).all()
    if pix_fmt == "gray":
        np.testing.assert_array_equal(planes.y, stored(frame, 0))
    elif pix_fmt.startswith("gray"):
        assert np.abs(planes.y - stored(frame, 0) / (1 << (frame.format.components[0].bits - 8))).max() <= 1.5


def test_grey_that_is_tagged_as_video_range_stays_so():
    frame = frame_of("gray", colour=(UNTAGGED, ColorRange.MPEG))
    planes = PlaneConverter().convert(frame)
    assert not planes.full_range
    np.testing.assert_array_equal(planes.y, stored(frame, 0))


@pytest.mark.parametrize("pix_fmt", ["rgb24", "bgra", "gbrp", "rgb565le", "rgb48le"])
@pytest.mark.parametrize("height", [48, 720])
def test_rgb_keeps_its_colours(pix_fmt, height):
    flat = np.empty((height, 64, 3), np.uint8)
    flat[:] = (200, 40, 90)
    frame = av.VideoFrame.from_ndarray(flat, "rgb24").reformat(format=pix_fmt)
    planes = PlaneConverter().convert(frame)
    assert (planes.matrix, planes.full_range) == ("bt709" if height == 720 else "bt601", False)
    back = bgr_from_planes(planes).astype(int)
    assert np.abs(back - (90, 40, 200)).max() <= (8 if pix_fmt == "rgb565le" else 3)


def test_a_palette_is_looked_up():
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[:, 4:] = 255
    planes = PlaneConverter().convert(av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="rgb8"))
    assert np.abs(planes.y[:, 0].astype(int) - 16).max() <= 1
    assert np.abs(planes.y[:, -1].astype(int) - 235).max() <= 3  # rgb8 has no pure white


def test_one_converter_takes_whatever_comes_next():
    converter = PlaneConverter()
    for pix_fmt, size in [
        ("yuv444p", (64, 48)),
        ("rgb24", (63, 47)),
        ("gray", (10, 10)),
        ("nv12", (64, 48)),
        ("gray", (11, 9)),
    ]:
        planes = converter.convert(frame_of(pix_fmt, size))
        assert isinstance(planes, Planes)
        assert (planes.width_px, planes.height_px) == size
