"""What a player shows is what we read: made by encoders that write the flags, read back by the decoder of recordings."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Appearance, Reading
from engine.decode.cropping import Crop
from engine.decode.decoder import Decoder
from engine.decode.display import Display, shown_size
from tests.decode.clips import X265, picture


def circle(width: int, height: int, pixel_aspect: Fraction = Fraction(1)) -> np.ndarray:
    """Return RGB (height, width, 3) with a disc that is round where the pixels have this shape."""
    y, x = np.mgrid[:height, :width].astype(float)
    radius = 0.3 * min(width * float(pixel_aspect), height)
    inside = ((x + 0.5 - width / 2) * float(pixel_aspect)) ** 2 + (y + 0.5 - height / 2) ** 2 < radius**2
    return np.repeat(np.where(inside, 220, 30).astype(np.uint8)[:, :, None], 3, axis=2)


def write(path, pictures, codec="libx264", sar=None, pix_fmt="yuv420p", **options):
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if sar:
            stream.codec_context.sample_aspect_ratio = sar
        for rgb in pictures:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pix_fmt)))
        output.mux(stream.encode(None))
    return path


def read(path, **appearance) -> list[Frame]:
    with Decoder("cam", path, DecodeConfig(), reading=Reading(Appearance(**appearance))) as decoder:
        return [item for item in decoder if isinstance(item, Frame)]


def extent(luma: np.ndarray) -> tuple[int, int]:
    """Return width and height of what is bright."""
    bright = luma > 128
    return int(bright.any(axis=0).sum()), int(bright.any(axis=1).sum())


@pytest.mark.parametrize(
    ("name", "codec", "stored", "sar", "shown"),
    [
        ("pal_wide.mp4", "libx264", (720, 576), Fraction(64, 45), (1024, 576)),
        ("pal.ts", "mpeg2video", (720, 576), Fraction(16, 15), (768, 576)),
        ("ntsc.mkv", "libx264", (720, 480), Fraction(8, 9), (720, 540)),
        ("half_d1.avi", "mpeg4", (352, 576), Fraction(24, 11), (768, 576)),
        ("960h.mkv", "libx265", (960, 576), Fraction(4, 5), (960, 720)),
        ("hdv.mov", "libx264", (1440, 1080), Fraction(4, 3), (1920, 1080)),
    ],
)
def test_pixels_become_square(tmp_path, name, codec, stored, sar, shown):
    options = X265 if codec == "libx265" else {}
    path = write(tmp_path / name, [circle(*stored, sar)] * 3, codec, sar, **options)
    frames = read(path)
    assert len(frames) == 3
    assert {(f.planes.width_px, f.planes.height_px) for f in frames} == {shown}
    width, height = extent(frames[1].planes.y)
    assert abs(width - height) <= 3


def test_pictures_that_come_out_late_keep_the_shape_of_their_pixels(tmp_path):
    """Where another recording follows, the decoder tells its shape while it still gives what was before."""
    wide = write(tmp_path / "wide.ts", [circle(160, 240, Fraction(2))] * 8, sar=Fraction(2), bf="3")
    square = write(tmp_path / "square.ts", [circle(320, 240)] * 8, bf="3")
    (tmp_path / "both.ts").write_bytes(wide.read_bytes() + square.read_bytes())
    frames = read(tmp_path / "both.ts")
    assert {(frame.planes.width_px, frame.planes.height_px) for frame in frames} == {(320, 240)}
    assert len(frames) == 16


def test_the_container_is_believed_over_the_stream_as_in_players(tmp_path):
    plain = write(tmp_path / "plain.mp4", [circle(720, 576, Fraction(64, 45))] * 3, sar=Fraction(1))
    with av.open(str(plain)) as source, av.open(str(tmp_path / "wide.mov"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    data = bytearray((tmp_path / "wide.mov").read_bytes())
    at = data.find(b"pasp")
    if at < 0:
        pytest.skip("this muxer writes no pasp box for square pixels")
    data[at + 4 : at + 12] = (64).to_bytes(4, "big") + (45).to_bytes(4, "big")
    (tmp_path / "wide.mov").write_bytes(data)
    (frame, *_) = read(tmp_path / "wide.mov")
    assert (frame.planes.width_px, frame.planes.height_px) == (1024, 576)


def test_the_user_may_say_what_no_flag_tells(tmp_path):
    path = write(tmp_path / "cif2.mkv", [circle(704, 288, Fraction(1, 2) * Fraction(12, 11))] * 2)
    assert {f.planes.height_px for f in read(path)} == {288}
    (frame, *_) = read(path, aspect="4:3")
    width, height = extent(frame.planes.y)
    assert (frame.planes.width_px, frame.planes.height_px) == (704, 528)
    assert abs(width - height) <= 4


def test_the_users_shape_is_that_of_what_a_container_leaves_to_be_seen():
    rgb = av.VideoFrame.from_ndarray(circle(640, 360), "rgb24")
    ((planes, _),) = Display(Appearance(aspect="4:3"), Crop(left=0.125, right=0.125)).show(rgb, None, None)
    assert (planes.width_px, planes.height_px) == (480, 360)


def test_a_picture_that_waits_for_its_neighbour_keeps_the_shape_of_its_pixels():
    """Where the shape changes in the middle of an interlaced recording, and where the size does too."""
    display: Display[int] = Display(Appearance(deinterlace="on"))
    shapes = [((720, 576), Fraction(64, 45))] * 2 + [((720, 576), Fraction(16, 15))] * 2 + [((480, 576), Fraction(32, 15))] * 2
    shown = []
    for index, (size, aspect) in enumerate(shapes):
        shown += display.show(av.VideoFrame.from_ndarray(circle(*size), "rgb24").reformat(format="yuv420p"), aspect, index)
    shown += display.flush()
    assert [(planes.width_px, note) for planes, note in shown] == list(
        zip([1024, 1024, 768, 768, 1024, 1024], range(6), strict=True)
    )


def test_a_turn_comes_after_the_pixels_are_square(tmp_path):
    path = write(tmp_path / "turned.mp4", [picture(0, 352, 288)] * 2, sar=Fraction(12, 11))
    upright, turned = read(path)[0].planes, read(path, rotate=90)[0].planes
    assert (turned.width_px, turned.height_px) == (288, 384)
    np.testing.assert_array_equal(turned.y, np.rot90(upright.y, -1))
    np.testing.assert_array_equal(read(path, rotate=180)[0].planes.y, np.rot90(upright.y, 2))
    np.testing.assert_array_equal(read(path, rotate=270)[0].planes.u, np.rot90(upright.u))
    np.testing.assert_array_equal(read(path, rotate="flip")[0].planes.y, upright.y[::-1])
    np.testing.assert_array_equal(read(path, rotate="mirror")[0].planes.y, upright.y[:, ::-1])


def test_grey_and_rgb_pictures_are_scaled_too():
    for pix_fmt in ("gray", "rgb24", "gray10le", "yuv422p10le", "pal8"):
        frame = av.VideoFrame.from_ndarray(circle(72, 96, Fraction(2)), "rgb24").reformat(
            format="rgb8" if pix_fmt == "pal8" else pix_fmt,
            threads=1,  # several spoil lines of 10-bit pictures now and then
        )
        ((planes, note),) = Display().show(frame, Fraction(2), "its note")
        width, height = extent(planes.y)
        assert (planes.width_px, planes.height_px, note) == (144, 96, "its note")
        assert abs(width - height) <= 3


@given(
    st.integers(1, 8192),
    st.integers(1, 8192),
    st.one_of(st.none(), st.fractions(min_value=0, max_value=100, max_denominator=10_000)),
)
def test_no_line_is_lost_and_the_shape_is_right(width, height, sar):
    shown_width, shown_height = shown_size(width, height, sar)
    assert shown_width >= width - 1
    assert shown_height >= height - 1
    assert shown_width <= 4 * width + 1
    assert shown_height <= 4 * height + 1
    if sar and Fraction(1, 4) <= sar <= 4 and min(width, height) >= 100:
        assert shown_width / shown_height == pytest.approx(float(width * sar / height), rel=0.015)


@pytest.mark.parametrize("sar", [None, Fraction(0), Fraction(4320, 4319), Fraction(1, 100), Fraction(4999, 1)])
def test_what_is_unknown_nearly_square_or_beyond_belief_is_left_alone(sar):
    assert shown_size(720, 576, sar) == (720, 576)
