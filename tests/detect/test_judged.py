from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from engine.config import DetectConfig
from engine.contracts.frames import Detections, Planes
from engine.contracts.manifest import read_manifest
from engine.contracts.profile import Profile
from engine.detect.judged import JudgedDetector, agreed_scores, open_judged
from engine.detect.second_look import NAME, Agreement, Faceness
from engine.models import find_model

PLANES = Planes(*(np.zeros((size, size), np.uint8) for size in (64, 32, 32)))
AGREEMENT = Agreement("ab", 0.2, 0.5, 0.5, 0.8, 0.85, 2.0, 0.9, 0.7)


class Detector:
    name, model_sha256, licence, runtime, min_score, sure_score = "some", "ab", "none", "here", 0.2, 0.6
    profile = Profile(1, 4, 4)

    def __init__(self, *scores: float):
        count = len(scores)
        boxes = np.float32([[100 * n, 0, 40, 50] for n in range(count)]).reshape(-1, 4)
        marks = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 5, 2), np.float32)
        self.found, self.is_open = Detections(boxes, np.float32(scores), marks), True

    def detect(self, pictures):
        return [self.found] * len(pictures)

    def close(self):
        self.is_open = False


class Look:
    """Puts every face to the same place where it may, each next one so far (x, y) beside it."""

    limits = Faceness(0.2, 0.7, 0.9)

    def __init__(self, *faceness: float, fitted: bool = False, beside: tuple[float, float] = (0, 0)):
        self._faceness, self.is_open, self._fitted, self._beside = np.float32(faceness), True, fitted, beside

    def fits(self, detector):
        return self._fitted

    def judge(self, luma, found, *, correct):
        moved = np.arange(len(found))[:, None] * np.float32(self._beside)
        boxes = np.concatenate([7 + moved, np.full_like(moved, 40)], axis=1) if correct else found.boxes
        return Detections(boxes, found.scores, found.landmarks, self._faceness)

    def close(self):
        self.is_open = False


def test_without_agreement_the_detector_is_believed_and_each_face_has_its_faceness():
    detector, look = Detector(0.9, 0.3), Look(0.1, 0.8)
    judged = JudgedDetector(detector, look)
    first, second = judged.detect([PLANES, PLANES])
    assert first.scores.tolist() == second.scores.tolist() == np.float32([0.9, 0.3]).tolist()
    assert first.faceness.tolist() == np.float32([0.1, 0.8]).tolist()
    assert (judged.min_score, judged.sure_score, judged.profile.best, judged.name) == (0.2, 0.6, 4, "some")
    assert judged.limits == Look.limits
    judged.close()
    assert not detector.is_open
    assert not look.is_open


def test_with_agreement_both_decide_and_the_surest_comes_first():
    judged = JudgedDetector(Detector(0.7, 0.5, 0.4, 0.3), Look(0.3, 0.9, 0.99, 0.5), AGREEMENT)
    (found,) = judged.detect([PLANES])
    assert found.landmarks[:, 0, 0].tolist() == [2, 1, 0]
    assert found.faceness.tolist() == np.float32([0.99, 0.9, 0.3]).tolist()
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert (found.scores >= 0.5).all()
    assert judged.limits == Faceness(0.2, 0.2, 0.2, 0.85, 2.0, 0.9, 0.7)
    assert (judged.min_score, judged.sure_score) == (0.5, 0.8)


@pytest.mark.parametrize("agreement", [None, AGREEMENT])
def test_faces_that_a_fitting_second_look_puts_to_one_place_are_one(agreement):
    judged = JudgedDetector(Detector(0.9, 0.8), Look(0.9, 0.8, fitted=True), agreement)
    (found,) = judged.detect([PLANES])
    assert found.boxes.tolist() == [[7, 7, 40, 40]]
    assert found.landmarks[0, 0, 0] == 0
    (found,) = JudgedDetector(Detector(0.9, 0.8), Look(0.9, 0.8), agreement).detect([PLANES])
    assert len(found) == 2


@pytest.mark.parametrize("agreement", [None, AGREEMENT])
@pytest.mark.parametrize(
    ("beside", "faces"), [((15, 0), 1), ((0, 18), 1), ((-9, 9), 1), ((23, 0), 2), ((0, -25), 2), ((16, 16), 2), ((60, 0), 2)]
)
def test_boxes_that_a_fitting_second_look_moves_onto_one_face_are_one_though_none_lies_within_the_other(
    beside, faces, agreement
):
    judged = JudgedDetector(Detector(0.9, 0.8), Look(0.9, 0.8, fitted=True, beside=beside), agreement)
    (found,) = judged.detect([PLANES])
    assert len(found) == faces
    assert found.landmarks[0, 0, 0] == 0


def test_no_face_is_no_face():
    assert len(JudgedDetector(Detector(), Look(), AGREEMENT).detect([PLANES])[0]) == 0


def test_the_score_of_both():
    np.testing.assert_allclose(agreed_scores(np.float32([0.3, 0.8]), np.float32([0.5, 0.5]), 1.0), [0.3, 0.8], atol=1e-6)
    np.testing.assert_allclose(agreed_scores(np.float32([0.3, 0.8]), np.float32([0.1, 0.9]), 0.0), [0.3, 0.8], atol=1e-6)
    ends = agreed_scores(np.float32([0.0, 1.0, 0.5]), np.float32([1.0, 0.0, 1.0]), 1.0)
    assert np.isfinite(ends).all()
    np.testing.assert_allclose(ends[:2], 0.5, atol=1e-6)
    assert ends[2] > 0.99


def test_the_second_look_that_ships_was_fitted_to_the_detector_that_ships():
    """A detector that is trained anew needs its second look trained anew: see the card of second_look."""
    fitted = read_manifest(find_model(NAME)).versions.get("detector_sha256")  # type: ignore[arg-type]
    assert fitted == read_manifest(find_model("grey")).sha256  # type: ignore[arg-type]


@pytest.mark.parametrize("min_score", [None, 0.7])
def test_a_threshold_that_is_asked_for_is_the_detectors_own(min_score):
    detector, look = open_judged(DetectConfig(detector="grey", min_score=min_score), find_model)
    assert look is not None
    assert look.fits(detector)
    assert (detector.min_score, detector.sure_score) == (
        (look.agreement.min_score, look.agreement.sure_score) if min_score is None else (0.7, 0.7)  # type: ignore[union-attr]
    )
    detector.close()


def test_without_a_second_look_nothing_is_judged():
    detector, look = open_judged(DetectConfig(detector="grey", second_look=False), find_model)
    assert look is None
    assert detector.limits is None
    detector.close()


def test_another_detector_keeps_its_own_thresholds(tmp_path: Path):
    from tests.onnx_models import yunet_model

    (tmp_path / "other.onnx").write_bytes(yunet_model())
    detector, look = open_judged(DetectConfig(detector=str(tmp_path / "other.onnx")), find_model)
    assert look is not None
    assert not look.fits(detector)
    assert detector.model_sha256 == hashlib.sha256((tmp_path / "other.onnx").read_bytes()).hexdigest()
    assert detector.min_score == 0.6
    (found,) = detector.detect([Planes(*(np.full((side, side), 90, np.uint8) for side in (96, 48, 48)))])
    assert found.faceness is not None
    assert found.faceness.shape == (len(found),)
    detector.close()
