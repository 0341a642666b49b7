"""Faces larger than a detector knows, in pictures of cameras and photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.config import DetectConfig
from engine.contracts.frames import Planes
from engine.detect.judged import open_judged
from engine.detect.large_faces import LargeFaces
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.sample.known_face import known_face
from tests.enrolment.blobs import BlobDetector, draw


def detector_of_frames() -> BlobDetector:
    return BlobDetector(sizes=(20, 300))


def field(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def planes(bgr: np.ndarray) -> Planes:
    return planes_from_bgr(bgr, full_range=True)


@pytest.mark.parametrize(
    ("width", "height", "side"),
    [(640, 480, 150), (1280, 720, 400), (1920, 1080, 640), (2160, 3840, 1200), (7680, 4320, 1440), (8001, 6003, 2000)],
)
def test_a_face_that_fills_a_third_of_a_picture_is_found_once(width, height, side):
    picture = draw(field(height, width), width // 4, height // 5, side)
    (found,) = LargeFaces(detector_of_frames(), None).detect([planes(picture)])
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[0], [width // 4, height // 5, side, side], atol=max(4, side * 0.03))
    np.testing.assert_allclose(found.landmarks[0, 0], [width // 4 + 0.3 * side, height // 5 + 0.4 * side], atol=side * 0.03)


def test_small_faces_are_found_in_the_picture_itself_and_large_ones_beside_them():
    picture = draw(draw(draw(field(1080, 1920), 100, 100, 24), 300, 100, 120), 800, 200, 700)
    (found,) = LargeFaces(detector_of_frames(), None).detect([planes(picture)])
    np.testing.assert_allclose(sorted(found.boxes[:, 2]), [24, 120, 700], atol=8)


@pytest.mark.parametrize("place", [(100, 100), (2540, 1800), (2830, 2900), (3060, 2600), (2000, 2550), (4310, 3510)])
@pytest.mark.parametrize("side", [24, 180])
def test_a_face_in_a_very_large_picture_is_found_once_wherever_it_is(place, side):
    picture = draw(field(3701, 4501), *place, side)
    detector = detector_of_frames()
    (found,) = LargeFaces(detector, None).detect([planes(picture)])
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[0], [*place, side, side], atol=4)
    assert detector.largest_px < 10_000_000


def test_pictures_given_together_keep_their_own_faces():
    pictures = [field(720, 1280), draw(field(720, 1280), 300, 100, 500), draw(field(240, 320), 50, 60, 80)]
    found = LargeFaces(detector_of_frames(), None).detect([planes(picture) for picture in pictures])
    assert [len(faces) for faces in found] == [0, 1, 1]


def test_beside_a_very_large_picture_others_are_looked_at_as_they_are_alone():
    """All that were given with one were cut into tiles, and so was its own first copy."""
    detector = detector_of_frames()
    found = LargeFaces(detector, None).detect([planes(field(4320, 7680)), planes(draw(field(2160, 3840), 1300, 900, 260))])
    assert [len(faces) for faces in found] == [0, 1]
    assert detector.pictures == 6 * 4 + 3 + 1 + 2  # tiles and its three copies; the other one and its two


def test_small_pictures_are_looked_at_once():
    detector = detector_of_frames()
    LargeFaces(detector, None).detect([planes(field(360, 640))])
    assert detector.pictures == 1


def test_the_default_detector_finds_one_face_and_no_parts_of_it():
    face = known_face()[20:220, 120:320]
    picture = field(1080, 1440)
    picture[20:1060, 200:1240] = cv2.resize(face, (1040, 1040), interpolation=cv2.INTER_CUBIC)
    detector, _ = open_judged(DetectConfig(detector="grey"), find_model)
    try:
        (found,) = detector.detect([planes(picture)])
    finally:
        detector.close()
    assert len(found) == 1
    assert found.boxes[0, 2] == pytest.approx(478, rel=0.15)
    assert found.faceness is not None
    assert found.faceness[0] > 0.9
