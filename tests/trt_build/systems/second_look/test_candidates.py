from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.frames import Detections
from trt_build.data.scenes.teacher import Labelled
from trt_build.systems.second_look.candidates import collect, scaled, shares, sorted_by_labels


def labelled(*boxes, unsure=(), size=(200, 300)) -> Labelled:
    known = np.float32(boxes).reshape(-1, 4)
    return Labelled(
        np.zeros(size, np.uint8), known, np.zeros((len(known), 5, 2), np.float32), np.float32(unsure).reshape(-1, 4)
    )


@pytest.mark.parametrize(
    ("box", "is_face", "is_none"),
    [
        ((50, 50, 40, 50), True, False),
        ((55, 52, 38, 50), True, False),
        ((60, 75, 20, 15), False, False),  # the mouth
        ((85, 60, 30, 40), False, False),  # an ear
        ((92, 60, 40, 50), False, True),
        ((150, 100, 20, 20), False, False),  # doubtful
        ((220, 20, 30, 30), False, True),
    ],
)
def test_what_is_neither_a_face_nor_away_from_all_is_left_out(box, is_face, is_none):
    truth = labelled((50, 50, 40, 50), unsure=[(148, 98, 26, 26)])
    faces, others = sorted_by_labels(np.float32([box]), truth)
    assert (faces[0], others[0]) == (is_face, is_none)


def test_without_labels_all_is_false():
    faces, others = sorted_by_labels(np.float32([(1, 2, 30, 40)]), labelled())
    assert (faces[0], others[0]) == (False, True)
    assert [len(some) for some in sorted_by_labels(np.zeros((0, 4), np.float32), labelled((1, 2, 3, 4)))] == [0, 0]


def test_shares_are_of_the_smaller():
    found = shares(np.float32([(0, 0, 10, 10)]), np.float32([(2, 2, 4, 4), (5, 0, 10, 10), (50, 50, 1, 1)]))
    np.testing.assert_allclose(found, [[1, 0.5, 0]], atol=1e-6)


class Detector:
    """Sees one box in the middle of each picture, a third of it, and counts."""

    model_sha256, min_score = "ab", 0.1

    def __init__(self):
        self.looks = 0

    def detect(self, pictures):
        self.looks += 1
        (planes,) = pictures
        height, width = planes.y.shape
        box = np.float32([(width / 3, height / 3, width / 3, height / 3)])
        return [Detections(box, np.float32([0.4]), np.zeros((1, 5, 2), np.float32))]


def test_candidates_lie_in_the_picture_at_every_scale_and_are_kept(tmp_path):
    detector = Detector()
    pictures = [labelled((100, 66, 100, 67)), labelled()]
    found = collect(pictures, detector, (0.5, 1.0, 1.5), "some", tmp_path, lambda *what: None)
    assert detector.looks == 6
    assert found.picture.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.is_face.tolist() == [True] * 3 + [False] * 3
    np.testing.assert_allclose(found.boxes, np.tile(np.float32([100, 66.7, 100, 66.7]), (6, 1)), atol=0.5)
    assert found.scales.tolist() == [0.5, 1.0, 1.5] * 2
    again = collect(pictures, detector, (0.5, 1.0, 1.5), "some", tmp_path, lambda *what: None)
    assert detector.looks == 6
    np.testing.assert_array_equal(again.boxes, found.boxes)


def test_a_picture_is_not_shrunk_to_nothing():
    assert scaled(np.zeros((100, 300), np.uint8), 0.3) is None
    assert scaled(np.zeros((40, 40), np.uint8), 1.0).shape == (40, 40)
