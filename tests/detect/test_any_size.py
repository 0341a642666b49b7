"""Faces of any size in pictures of any size, with a detector that knows faces of 20 to 200 px."""

from __future__ import annotations

import numpy as np
import pytest

from engine.detect.any_size import find_faces
from tests.enrolment.blobs import BlobDetector, draw


class Noting(BlobDetector):
    """Notes the largest picture that it is given."""

    largest_px = 0

    def detect(self, pictures):
        self.largest_px = max(self.largest_px, *(picture.y.size for picture in pictures))
        return super().detect(pictures)


def field(height, width):
    return np.full((height, width, 3), 90, np.uint8)


@pytest.mark.parametrize("side", [24, 60, 150, 400, 900])
def test_a_face_is_found_once_whatever_its_size(side):
    found = find_faces(draw(field(1000, 1600), 300, 50, side), BlobDetector())
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[0], [300, 50, side, side], atol=max(4, side * 0.05))


def test_every_face_of_a_panorama_is_found_once_and_nothing_is_searched_whole():
    picture = field(2000, 4000)
    places = [(x, y) for x in range(40, 3900, 310) for y in (30, 760, 1440, 1900)]
    for x, y in places:
        draw(picture, x, y, 60)
    detector = Noting()
    found = find_faces(picture, detector)
    assert len(found) == len(places)
    for place in places:
        assert np.abs(found.boxes[:, :2] - place).max(axis=1).min() < 4
    assert detector.largest_px <= 1536 * 1536


def test_an_empty_picture_and_a_strip_have_no_face():
    for size in ((8, 8), (20, 12000), (12000, 9), (700, 500)):
        assert len(find_faces(field(*size), BlobDetector())) == 0
