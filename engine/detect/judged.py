"""A detector whose finds are looked at a second time, and put right, before they are reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.config import DetectConfig
from engine.contracts.frames import Detections, Float32, Planes
from engine.detect.catalog import FindModel, open_detector
from engine.detect.detector import Detector
from engine.detect.large_faces import LargeFaces
from engine.detect.nested import one_a_face
from engine.detect.second_look import LEAST, Agreement, Faceness, SecondLook, open_second_look


class JudgedDetector:
    """See ``Detector``; what it reports has a faceness, and lies where a fitting second look puts it.

    With an agreement the detector is asked at a lower threshold, and what counts is a score of both: so faces are found that
    the detector alone is not sure enough of, at no more false alarms.
    """

    def __init__(self, detector: Detector, second_look: SecondLook, agreement: Agreement | None = None) -> None:
        """Join both; they are closed with it."""
        self._detector, self._second_look, self._agreement = detector, second_look, agreement
        self._correct = second_look.fits(detector)
        self.name, self.model_sha256, self.licence = detector.name, detector.model_sha256, detector.licence
        self.runtime, self.profile = detector.runtime, detector.profile
        self.min_score, self.sure_score = detector.min_score, detector.sure_score
        if agreement is not None:
            self.min_score, self.sure_score = agreement.min_score, agreement.sure_score

    @property
    def limits(self) -> Faceness:
        """What follows from the faceness and the score of a face that was reported."""
        limits, agreement = self._second_look.limits, self._agreement
        if agreement is None:
            return limits
        lowest = limits.refused_below
        together = agreement.agreed_from, agreement.agreed_evidence, agreement.agreed_alone_from, agreement.agreed_missed
        return Faceness(lowest, lowest, lowest, *together)

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        """See ``Detector.detect``."""
        found = self._detector.detect(pictures)
        pairs = zip(pictures, found, strict=True)
        return [self._agreed(self._second_look.judge(one.y, faces, correct=self._correct)) for one, faces in pairs]

    def close(self) -> None:
        """See ``Detector.close``."""
        self._detector.close()
        self._second_look.close()

    def _agreed(self, faces: Detections) -> Detections:
        if faces.faceness is None or not len(faces):
            return faces
        if self._agreement is None:
            return one_a_face(faces) if self._correct else faces
        scores = agreed_scores(faces.scores, faces.faceness, self._agreement.weight)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self.min_score]
        return one_a_face(replace(faces, scores=scores).only(order))


def agreed_scores(scores: Float32, faceness: Float32, weight: float) -> Float32:
    """Return the scores of both, 0 to 1: the sum of their logits, that of the faceness times ``weight``."""
    detector, look = (np.clip(one.astype(np.float64), LEAST, 1 - LEAST) for one in (scores, faceness))
    logits = np.log(detector / (1 - detector)) + weight * np.log(look / (1 - look))
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def open_judged(
    config: DetectConfig, find_model: FindModel, *, photographs: bool = False
) -> tuple[LargeFaces, SecondLook | None]:
    """Open the detector that the configuration names, and with it the second look, None where none is wanted.

    It finds faces of any size; for ``photographs`` see ``LargeFaces``. Where the second look was fitted to this detector, and
    no threshold is asked for, both agree on what is reported.

    Raises:
        ModelError: see ``open_detector`` and ``open_second_look``.
        MissingRuntimeError: see ``open_detector``.
        ConfigError: likewise.
    """
    detector = open_detector(config, find_model)
    second_look = open_second_look(config, find_model)
    if second_look is None:
        return LargeFaces(detector, None, photographs=photographs), None
    agreement = second_look.agreement if config.min_score is None and second_look.fits(detector) else None
    if agreement is not None:
        detector.min_score = agreement.asked_from
    judged = JudgedDetector(detector, second_look, agreement)
    return LargeFaces(judged, judged.limits, photographs=photographs), second_look
