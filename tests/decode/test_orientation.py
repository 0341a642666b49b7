from __future__ import annotations

import itertools

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from av.sidedata.sidedata import Type

from engine.contracts.frames import Planes
from engine.decode.orientation import TURNS, Orientation, Turn
from tests.decode.clips import picture, render, with_display_matrix

ALL = [Turn(*steps) for steps in itertools.product([False, True], repeat=3)]


def planes() -> Planes:
    rng = np.random.default_rng(1)
    return Planes(*(rng.integers(0, 256, shape, np.uint8) for shape in ((6, 8), (3, 4), (3, 4))))


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", ALL)
def test_two_turns_are_one(first, second):
    both, one_by_one = first.then(second).apply(planes()), second.apply(first.apply(planes()))
    for name in ("y", "u", "v"):
        np.testing.assert_array_equal(getattr(both, name), getattr(one_by_one, name))


def test_what_lies_right_is_not_copied():
    upright = planes()
    assert Turn().apply(upright) is upright


@pytest.mark.parametrize(("rotate", "expected"), [(90, -1), (180, 2), (270, 1)])
def test_degrees_count_clockwise(rotate, expected):
    np.testing.assert_array_equal(TURNS[rotate].apply(planes()).y, np.rot90(planes().y, expected))


def test_the_users_turn_is_added_to_the_files(tmp_path):
    path = with_display_matrix(render(tmp_path / "a.mp4"), (0, 1, -1, 0), tmp_path / "b.mp4")  # 90 degrees clockwise
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert Orientation().of(frame) == TURNS[90]
        assert Orientation(270).of(frame) == Turn()
        assert Orientation(90).of(frame) == TURNS[180]


def test_what_one_picture_tells_holds_for_the_next(tmp_path):
    """H.264 says how it lies in a message beside some of its pictures."""
    with av.open(str(render(tmp_path / "a.ts", frames=10, codec_options={"g": "5"}))) as source:
        stream = source.streams.video[0]
        tell = BitStreamFilterContext("h264_metadata=display_orientation=insert:rotate=90", stream)
        with av.open(str(tmp_path / "b.ts"), "w") as output:
            copied = output.add_stream_from_template(stream)
            for packet in source.demux(stream):
                for told in tell.filter(packet if packet.size else None):
                    told.stream = copied
                    output.mux(told)
    orientation = Orientation()
    with av.open(str(tmp_path / "b.ts")) as container:
        assert [orientation.of(frame) for frame in container.decode(video=0)] == [TURNS[270]] * 10


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_of_a_jpeg_is_read_though_pyav_has_no_name_for_it(tmp_path, orientation):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with_exif(orientation))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        turn = Orientation().of(frame)
        assert any(side.type.name.startswith("UNNAMED") for side in frame.side_data)
    expected = {
        1: Turn(), 2: TURNS["mirror"], 3: TURNS[180], 4: TURNS["flip"], 5: Turn(transpose=True), 6: TURNS[90],
        7: Turn(True, True, True), 8: TURNS[270],
    }  # fmt: skip
    assert turn == expected[orientation]


def test_names_of_side_data_that_pyav_knows_stay():
    assert Type(6) is Type.DISPLAYMATRIX
    with pytest.raises(ValueError, match="no kind"):
        Type("no kind")


def jpeg_with_exif(orientation: int) -> bytes:
    import cv2

    plain = cv2.imencode(".jpg", picture(0, 48, 32))[1].tobytes()
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\x00\x00"
    exif = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"
    return plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
