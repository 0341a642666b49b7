import numpy as np
import pytest

from engine.contracts.frames import Detections
from trt_build.data.scenes.teacher import Labelled
from trt_build.systems.detector.scoring import Tally, windows

IMAGE = np.zeros((100, 100), np.uint8)


def points_of(box):
    x, y, width, _ = box
    return np.array([[x + 0.3 * width, y], [x + 0.7 * width, y], [x, y], [x, y], [x, y]], np.float32)


def truth(*boxes, unsure=()):
    shaped = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.array([points_of(box) for box in boxes], np.float32).reshape(-1, 5, 2)
    return Labelled(IMAGE, shaped, points, np.array(unsure, np.float32).reshape(-1, 4))


def found(*scored, shift=0.0):
    boxes = np.array([box for box, _ in scored], np.float32).reshape(-1, 4)
    points = np.array([points_of(box) + shift for box, _ in scored], np.float32).reshape(-1, 5, 2)
    return Detections(boxes, np.array([score for _, score in scored], np.float32), points)


def test_recall_and_precision_by_hand():
    tally = Tally()
    tally.add(truth((10, 10, 20, 20), (50, 50, 30, 30)), found(((11, 10, 20, 20), 0.9), ((80, 10, 18, 18), 0.7)))
    assert tally.recall(0.5) == 0.5
    assert tally.precision(0.5) == 0.5
    assert tally.precision(0.8) == 1.0
    assert tally.recall(0.95) == 0.0
    assert tally.recall(0.5, 24, 48) == 0.0
    assert tally.recall(0.5, 16, 24) == 1.0


def test_a_doubtful_face_does_not_count_and_a_second_box_on_one_is_false():
    tally = Tally()
    tally.add(
        truth((10, 10, 40, 40), unsure=[(60, 60, 20, 20)]),
        found(((10, 10, 40, 40), 0.9), ((60, 60, 20, 22), 0.8), ((14, 14, 36, 36), 0.7)),
    )
    assert tally.precision(0.75) == 1.0
    assert tally.precision(0.5) == 0.5
    assert tally.empty == 0


def test_points_are_measured_in_eye_distances():
    tally = Tally()
    tally.add(truth((10, 10, 40, 40)), found(((10, 10, 40, 40), 0.9), shift=1.6))
    assert tally.figures(0.5)["points"] == pytest.approx(1.6 * 2**0.5 / 16, rel=1e-4)


def test_false_alarms_are_counted_on_empty_pictures():
    tally = Tally()
    for number in range(10):
        tally.add(truth(), found(((10, 10, 40, 40), 0.7)) if number == 3 else found())
    figures = tally.figures(0.5)
    assert figures["false_per_1000"] == 100
    assert tally.figures(0.75)["false_per_1000"] == 0
    assert np.isnan(figures["recall"])


def test_the_threshold_is_the_one_that_separates():
    tally = Tally()
    for number in range(20):
        tally.add(truth((10, 10, 40, 40)), found(((10, 10, 40, 40), 0.6 + number / 100), ((60, 60, 30, 30), 0.45)))
    assert 0.45 < tally.careful_threshold() <= 0.46
    assert tally.quiet_threshold() == tally.careful_threshold()  # there is no empty picture


def test_false_alarms_on_empty_pictures_raise_the_threshold():
    tally = Tally()
    for number in range(100):
        tally.add(truth((10, 10, 40, 40)), found(((10, 10, 40, 40), 0.9)))
        tally.add(truth(), found(*[((10, 10, 40, 40), 0.503 + number / 100)] if number < 3 else []))
    assert tally.careful_threshold() == pytest.approx(0.52)  # one false alarm in a hundred pictures may stay
    assert tally.quiet_threshold() == pytest.approx(0.53)


def test_windows_are_cut_with_their_surroundings():
    (cut,) = windows(np.zeros((100, 100), np.uint8), [np.array([50, 50, 20, 20], np.float32)])
    assert cut.shape == (33, 33)
    assert windows(np.zeros((100, 100), np.uint8), [np.array([99, 99, 4, 4], np.float32)]) == []
