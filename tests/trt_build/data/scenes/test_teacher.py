import cv2
import numpy as np
import pytest

from tests.trt_build.data.scenes.made import POINTS
from trt_build.data.scenes.teacher import Labelled, Teacher, expand
from trt_build.errors import DataError

BOX = np.array([100.0, 60.0, 50.0, 50.0], np.float32)


class Unsteady(Teacher):
    """Finds the bright square where it is, and its points with an error of its own in each picture."""

    def __init__(self, errors, *, blind=0):
        self._errors, self._blind, self.calls = iter(errors), blind, 0

    def label(self, image, *, full_range):
        assert not full_range
        self.calls += 1
        error = next(self._errors)
        if self.calls <= self._blind:
            return Labelled(image)
        x, y, width, height = cv2.boundingRect((image > 128).astype(np.uint8))
        box = np.array([[x, y, width, height]], np.float32)
        return Labelled(image, box, _points(box[0])[None] + np.float32(error))


def _points(box):
    return (box[:2] + POINTS / 144 * box[2:]).astype(np.float32)


def _picture():
    image = np.zeros((240, 320), np.uint8)
    x, y, width, height = BOX.astype(int)
    image[y : y + height, x : x + width] = 255
    return Labelled(image, BOX[None], _points(BOX)[None] + np.float32(4), BOX[None] + np.float32(90))


def test_steadied_points_are_the_mean_over_views_that_are_slightly_different():
    errors = [3.0, -3.0, 2.0, -2.0, 1.0, -1.0]
    seen = Unsteady(errors).steadied(_picture(), full_range=False)
    np.testing.assert_allclose(seen.points[0], _points(BOX), atol=1.6)  # each error is divided by its view's scale
    np.testing.assert_array_equal(seen.boxes, BOX[None])
    np.testing.assert_array_equal(seen.unsure, _picture().unsure)


def test_views_are_brought_back_exactly():
    seen = Unsteady([0.0] * 6).steadied(_picture(), full_range=False)
    np.testing.assert_allclose(seen.points[0], _points(BOX), atol=0.7)  # the square's edges fall on whole pixels of each view


def test_a_face_that_few_views_show_keeps_its_points():
    given = _picture()
    seen = Unsteady([0.0] * 6, blind=3).steadied(given, full_range=False)
    np.testing.assert_array_equal(seen.points, given.points)


def test_nothing_is_looked_for_in_an_empty_picture():
    teacher = Unsteady([])
    empty = Labelled(np.zeros((64, 64), np.uint8))
    assert teacher.steadied(empty, full_range=False) is empty


def test_a_missing_teacher_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        Teacher(tmp_path / "nowhere.onnx")


def test_video_range_is_expanded():
    assert expand(np.array([[16, 235, 0, 255]], np.uint8)).tolist() == [[0, 255, 0, 255]]
