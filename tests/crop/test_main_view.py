"""A face of a small picture in a larger one of the same scene."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.frames import Frame, FrameTime, Planes, TrackedFace
from engine.crop.main_view import MainView, Mapping, mappings

LARGE = (960, 540)
BOX = (400.0, 200.0, 64.0, 80.0)
"""Of the face in the large picture."""


def planes(luma: np.ndarray) -> Planes:
    chroma = np.full(((luma.shape[0] + 1) // 2, (luma.shape[1] + 1) // 2), 128, np.uint8)
    return Planes(luma, chroma, chroma)


def scene(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (54, 96)).astype(np.uint8)
    return cv2.resize(coarse, LARGE, interpolation=cv2.INTER_CUBIC)


def seen(large: np.ndarray, how: Mapping, size: tuple[int, int]) -> np.ndarray:
    """Return the small picture that lies so in the large one."""
    matrix = np.array([[how.scale_x, 0, how.shift_x], [0, how.scale_y, how.shift_y]], np.float64)
    small = cv2.GaussianBlur(large, (0, 0), max(how.scale_x, how.scale_y) / 2.5)
    return cv2.warpAffine(small, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def face_in(how: Mapping) -> TrackedFace:
    x, y, width, height = BOX
    box = np.array(
        [(x - how.shift_x) / how.scale_x, (y - how.shift_y) / how.scale_y, width / how.scale_x, height / how.scale_y],
        np.float32,
    )
    return TrackedFace(1, box, np.repeat(box[None, :2] + box[None, 2:] / 2, 5, 0), 0.9)


def split(small: np.ndarray, large: np.ndarray | None, face: TrackedFace, view: MainView | None = None):
    main = None if large is None else planes(large)
    frame = Frame("cam", FrameTime(0, 0, (1, 25), 0.0, 0), planes(small), main=main, has_main=True)
    return {one.planes.width_px: faces for one, faces in (view or MainView()).split(frame, [face])}


SHAPES = {
    "whole": ((240, 135), Mapping(4.0, 4.0)),
    "squeezed": ((180, 144), Mapping(960 / 180, 540 / 144)),
    "cut": ((180, 135), Mapping(4.0, 4.0, 120.0, 0.0)),
    "bars": ((240, 180), Mapping(4.0, 4.0, 0.0, -90.0)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_face_is_found_whatever_the_shape_of_the_small_picture(shape):
    size, how = SHAPES[shape]
    view = MainView()
    for seed in range(3):  # the shape is learnt from the faces
        large = scene(seed)
        found = split(seen(large, how, size), large, face_in(how), view)
    (face,) = found[LARGE[0]]
    assert face.box == pytest.approx(BOX, abs=5.0)
    assert face.landmarks[0] == pytest.approx([BOX[0] + BOX[2] / 2, BOX[1] + BOX[3] / 2], abs=6.0)
    assert found[size[0]] == []


@pytest.mark.parametrize(("right", "down"), [(12, 0), (-16, 8), (0, -15)])
def test_a_face_that_has_moved_a_little_meanwhile_is_followed(right, down):
    size, how = SHAPES["whole"]
    large = scene()
    moved = np.roll(large, (down, right), (0, 1))
    (face,) = split(seen(large, how, size), moved, face_in(how))[LARGE[0]]
    assert face.box[:2] == pytest.approx([BOX[0] + right, BOX[1] + down], abs=5.0)


def test_another_scene_a_grey_picture_and_none_leave_the_face_where_it_was_found():
    size, how = SHAPES["whole"]
    small = seen(scene(0), how, size)
    view = MainView()
    for large in (scene(1), np.full(LARGE[::-1], 90, np.uint8), None):
        found = split(small, large, face_in(how), view)
        assert list(found) == [size[0]]
        assert len(found[size[0]]) == 1
    assert (view.unlike, view.alike) == (2, 0)


def test_a_main_stream_of_another_camera_is_noticed_and_one_that_fails_now_and_then_is_not():
    size, how = SHAPES["whole"]
    small = seen(scene(0), how, size)
    other, mixed = MainView(), MainView()
    for number in range(40):
        split(small, scene(1), face_in(how), other)
        split(small, scene(number % 2), face_in(how), mixed)
    assert (other.is_strange, mixed.is_strange) == (True, False)


@given(st.tuples(st.integers(16, 2000), st.integers(16, 2000)), st.tuples(st.integers(16, 4000), st.integers(16, 4000)))
def test_every_mapping_lays_the_middle_on_the_middle(small, large):
    found = mappings(small, large)
    assert len(found) in (1, 3)
    for how in found:
        x, y, width, height = how.box(np.array([0, 0, *small], np.float32))
        assert (x + width / 2, y + height / 2) == pytest.approx((large[0] / 2, large[1] / 2), rel=1e-3)
    for how in found[1:]:
        assert how.scale_x == how.scale_y
