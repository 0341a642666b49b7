"""Pictures of any size by tiles, with a detector that knows faces of 20 to 200 px."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.frames import Detections
from engine.detect.large_faces import LargeFaces
from engine.detect.tiles import detect_in_tiles
from engine.pictures.colour import planes_from_bgr
from tests.enrolment.blobs import BlobDetector, draw


class Noting(BlobDetector):
    """Notes the largest picture that it is given."""

    largest_px = 0

    def detect(self, pictures):
        self.largest_px = max(self.largest_px, *(picture.y.size for picture in pictures))
        return super().detect(pictures)


def field(height, width):
    return np.full((height, width, 3), 90, np.uint8)


def found_in(picture: np.ndarray, detector: BlobDetector) -> Detections:
    (found,) = LargeFaces(detector, None, photographs=True).detect([planes_from_bgr(picture, full_range=True)])
    return found


@pytest.mark.parametrize("side", [24, 60, 150, 400, 800])
def test_a_face_is_found_once_whatever_its_size(side):
    found = found_in(draw(field(1000, 1601), 300, 50, side), BlobDetector())
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[0], [300, 50, side, side], atol=max(4, side * 0.05))
    np.testing.assert_allclose(found.landmarks[0, 0], [300 + 0.3 * side, 50 + 0.4 * side], atol=max(4, side * 0.05))


def test_every_face_of_a_panorama_is_found_once_and_nothing_is_searched_whole():
    picture = field(2000, 4000)
    places = [(x, y) for x in range(40, 3900, 310) for y in (30, 760, 1440, 1900)]
    for x, y in places:
        draw(picture, x, y, 60)
    detector = Noting()
    found = found_in(picture, detector)
    assert len(found) == len(places)
    for place in places:
        assert np.abs(found.boxes[:, :2] - place).max(axis=1).min() < 4
    assert detector.largest_px <= 1536 * 1536


def test_an_empty_picture_and_a_strip_have_no_face():
    for size in ((8, 8), (20, 12000), (12000, 9), (700, 500)):
        assert len(found_in(field(*size), BlobDetector())) == 0


def test_a_picture_of_one_tile_is_seen_as_without_tiles():
    picture = planes_from_bgr(draw(draw(field(700, 901), 300, 50, 60), 500, 300, 90), full_range=True)
    (whole,), tiled = BlobDetector().detect([picture]), detect_in_tiles(BlobDetector(), picture)
    np.testing.assert_array_equal(np.sort(tiled.boxes, axis=0), np.sort(whole.boxes, axis=0))
