from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Planes, TrackedFace
from engine.crop.cut import cut_face
from engine.pictures.colour import bgr_from_planes
from tests.carried import carried
from tests.crop.photographs import FOUND, face_of, frame_of, planes_of

QUALITY = Quality(20.0, 0.5, 0.5, 0.2)
coordinates = st.floats(-60, 120, width=32)
lengths = st.floats(0.5, 90, width=32)
margins = st.floats(0.1, 2.0)
sides = st.integers(1, 60)


def noise_planes(width: int, height: int) -> Planes:
    random = np.random.default_rng(width * 1000 + height)
    luma = random.integers(0, 256, (height, width), np.uint8)
    u, v = random.integers(0, 256, (2, (height + 1) // 2, (width + 1) // 2), np.uint8)
    return Planes(luma, u, v, "bt709", full_range=True)


def face_at(x: float, y: float, width: float, height: float) -> TrackedFace:
    return TrackedFace(7, np.array([x, y, width, height], np.float32), None, 0.8)


@given(sides, sides, coordinates, coordinates, lengths, lengths, margins)
def test_every_pixel_is_the_pictures_pixel_at_its_coordinates(width, height, x, y, box_width, box_height, margin):
    planes = noise_planes(width, height)
    crop = cut_face(frame_of(planes), face_at(x, y, box_width, box_height), QUALITY, margin)
    inside = x + box_width > 0 and x < width and y + box_height > 0 and y < height
    assert (crop is not None) == inside
    if crop is None:
        return
    left, top, crop_width, crop_height = crop.crop_box
    assert left % 2 == 0
    assert top % 2 == 0
    cut = crop.planes
    assert cut.y.shape == (crop_height, crop_width)
    assert np.array_equal(cut.y, planes.y[top : top + crop_height, left : left + crop_width])
    rows, columns = np.mgrid[0:crop_height, 0:crop_width]
    for mine, whole in ((cut.u, planes.u), (cut.v, planes.v)):
        assert np.array_equal(mine[rows // 2, columns // 2], whole[(rows + top) // 2, (columns + left) // 2])
    assert (cut.matrix, cut.full_range) == ("bt709", True)


@given(sides, sides, coordinates, coordinates, lengths, lengths, margins)
def test_the_crop_holds_face_and_margin_as_far_as_the_picture_goes(width, height, x, y, box_width, box_height, margin):
    crop = cut_face(frame_of(noise_planes(width, height)), face_at(x, y, box_width, box_height), QUALITY, margin)
    if crop is None:
        return
    left, top, crop_width, crop_height = crop.crop_box
    assert 0 <= left < left + crop_width <= width
    assert 0 <= top < top + crop_height <= height
    for first, length, start, extent, limit in (
        (left, crop_width, x, box_width, width),
        (top, crop_height, y, box_height, height),
    ):
        wanted_first, wanted_last = start - margin * extent, start + (1 + margin) * extent
        assert first <= max(0.0, wanted_first)
        assert first + length >= min(limit, wanted_last)
        assert first > wanted_first - 3 or first == 0
        assert first + length < wanted_last + 3 or first + length == limit


@given(st.integers(0, 5), margins, st.floats(0.5, 8.0))
def test_landmarks_survive_the_way_into_the_crop_and_back(index, margin, scale):
    face = face_of("t1", index)
    crop = cut_face(frame_of(planes_of("t1")), face, QUALITY, margin)
    assert crop is not None
    inside = crop.landmarks_in_crop(scale)
    back = (inside + 0.5) / scale - 0.5 + np.array(crop.crop_box[:2])
    assert back == pytest.approx(face.landmarks, abs=2e-3)
    width, height = crop.crop_box[2:]
    assert (inside >= 0).all()
    assert (inside < np.array([width, height]) * scale).all()


@pytest.mark.parametrize("index", range(len(FOUND["t1"])))
def test_a_crop_has_the_same_colours_as_the_whole_picture(index):
    planes = planes_of("t1")
    crop = cut_face(frame_of(planes), face_of("t1", index), QUALITY, 0.4)
    left, top, width, height = crop.crop_box
    whole = bgr_from_planes(planes)[top : top + height, left : left + width].astype(int)
    assert np.abs(bgr_from_planes(crop.planes) - whole).max() <= 2


def test_the_crop_outlives_the_frame_and_the_wire():
    planes = noise_planes(32, 32)
    crop = cut_face(frame_of(planes, frame_index=3, seconds=0.12), face_at(8, 8, 10, 10), QUALITY, 0.4)
    before = [plane.tobytes() for plane in _arrays(crop)]
    for plane in (planes.y, planes.u, planes.v):
        plane[:] = 0
    assert [plane.tobytes() for plane in _arrays(crop)] == before
    received = carried(crop)
    assert isinstance(received, FaceCrop)
    assert received.sighting == crop.sighting
    assert [plane.tobytes() for plane in _arrays(received)] == before
    assert [plane.shape for plane in _arrays(received)] == [plane.shape for plane in _arrays(crop)]
    assert (received.planes.matrix, received.planes.full_range) == ("bt709", True)
    assert (received.time.frame_index, received.time.pts, received.time.pts_seconds) == (3, 1536, 0.12)


def _arrays(crop: FaceCrop) -> tuple[np.ndarray, ...]:
    return crop.planes.y, crop.planes.u, crop.planes.v


def test_unknown_landmarks_are_none():
    landmarks = np.full((5, 2), np.nan, np.float32)
    face = TrackedFace(1, np.array([4, 4, 10, 10], np.float32), landmarks, 0.9)
    crop = cut_face(frame_of(noise_planes(30, 30)), face, QUALITY, 0.4)
    assert crop.landmarks is None
    assert crop.landmarks_in_crop() is None


def test_a_box_that_is_not_a_number_is_outside():
    assert cut_face(frame_of(noise_planes(30, 30)), face_at(np.nan, 4, 10, 10), QUALITY, 0.4) is None
    assert cut_face(frame_of(noise_planes(30, 30)), face_at(4, 4, np.inf, 10), QUALITY, 0.4) is None
