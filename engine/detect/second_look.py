"""A second look at what a detector found: a small network of ours says of each box whether it is a face, and where it lies.

Detectors hold on to burnt-in digits, vests and lamps for seconds, with high scores. Whoever publishes tracks asks here first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from engine.config import DetectConfig
from engine.contracts.frames import Detections, Float32, TrackedFace, Uint8
from engine.contracts.manifest import Manifest, read_manifest
from engine.detect.catalog import FindModel
from engine.detect.detector import Detector
from engine.detect.face_places import boxes_and_landmarks
from engine.detect.face_windows import CONTEXTS, SIDE_PX, face_windows, near_squares
from engine.errors import ModelError
from engine.sessions.session import Session, SessionSpec, open_session
from engine.sessions.tensors import listed

NAME = "second_look"
_INPUT, _OUTPUTS = "windows", ["faceness", "places"]
LEAST = 1e-4
"""A probability nearer to 0 or 1 says no more than this one."""


@dataclass(frozen=True, slots=True)
class Faceness:
    """What follows from a faceness, 0 to 1."""

    refused_below: float
    """Clearly no face: not passed on, also where its track is one of a face."""
    accepted_from: float
    """A face: its track is one of a face."""
    alone_from: float
    """Sure enough to be a track that was seen once."""
    score_from: float = 0.0
    """Where detector and second look decide together, the score, which then is of both, that speaks neither for a track nor
    against it."""
    evidence: float = 0.0
    """How far above it the scores of a track's faces must lie in all, in logits, see ``gained``."""
    score_alone_from: float = 0.0
    """Of both, sure enough to be a track that was seen once."""
    missed: float = 0.0
    """What a look takes away at which a track is not seen, in logits: a face that is there is found in nearly every look, what
    only resembles one comes and goes."""

    @property
    def near_from(self) -> float:
        """The ``likeness`` from which a look may be of a face although its track is rejected: it speaks for its track, or,
        where the faceness alone decides, is not clearly of none."""
        return self.score_from or self.refused_below

    def likeness(self, face: TrackedFace) -> float:
        """Return how much a look is like one of a face, 0 to 1: the score of both, or the faceness where it alone decides."""
        if face.faceness is None or face.faceness < self.refused_below:
            return 0.0
        return face.score if self.score_from else face.faceness

    def of_a_photograph(self) -> Faceness:
        """Return the limits where there is no more than a look or two: what is reported is accepted.

        The others are stricter than those of a picture, since a track has many chances to be taken for a face once.
        """
        return Faceness(self.refused_below, self.refused_below, self.refused_below)

    def gained(self, evidence: float, face: TrackedFace) -> float:
        """Return the evidence for a track after its next face; doubtful faces take away what others gave, but never more."""
        return max(0.0, evidence + _logit(face.score) - _logit(self.score_from))

    def unseen(self, evidence: float) -> float:
        """Return the evidence for a track after a look at which it was not seen."""
        return max(0.0, evidence - self.missed)

    def accepts(self, face: TrackedFace, evidence: float) -> bool:
        """Whether a face makes its track, for which there is so much ``evidence`` with it, one of a face."""
        return face.faceness is not None and face.faceness >= self.accepted_from and evidence >= self.evidence

    def accepts_alone(self, face: TrackedFace) -> bool:
        """Whether a face does so by itself, although its track is seen too seldom."""
        return face.faceness is not None and face.faceness >= self.alone_from and face.score >= self.score_alone_from


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a second look and the detector that it was fitted to decide together."""

    detector_sha256: str
    asked_from: float
    """Score at which the detector is asked."""
    weight: float
    """Of the logit of the faceness, beside that of the detector's score."""
    min_score: float
    """Of both, from which a face is reported."""
    sure_score: float
    """From which it begins a track."""
    agreed_from: float
    """From which it speaks for its track."""
    agreed_evidence: float
    """How far above that the scores of a track's faces must lie in all, in logits, for it to be one of a face."""
    agreed_alone_from: float
    """From which one face is enough."""
    agreed_missed: float
    """What a look takes away at which a track is not seen, in logits."""


class SecondLook:
    """Says of boxes whether they are faces. ``judge`` may be called from several threads; it cannot cross a process."""

    def __init__(self, spec: SessionSpec) -> None:
        """Open the model by its manifest, whose figures are the limits.

        Raises:
            ModelError: model or manifest is missing or corrupt, or not of this format.
        """
        described = read_manifest(spec.path)
        if described.kind != "second_look":
            raise ModelError(f"{spec.path} describes a {described.kind}, not a second look: choose another file")
        self.name, self.licence, self.model_sha256 = described.name, described.licence, described.sha256
        self.limits, self.agreement = _limits(described, spec.path), _agreement(described)
        self._session = _open(spec.of(described))
        self.runtime = self._session.runtime

    def judge(self, luma: Uint8, found: Detections, *, correct: bool = False) -> Detections:
        """Return the same detections, each with its faceness.

        Args:
            luma: (height, width) of the picture, of full or video range.
            found: in its pixels.
            correct: box and landmarks become the mean of the detector's and of what is seen here. Those of a detector are as
                coarse as its cells, and where faces are small the mean is nearer to them than either. Only for the detector
                that the second look fits.

        Raises:
            InferenceError: the model fails.
        """
        if not len(found):
            return replace(found, faceness=np.zeros(0, np.float32))
        faceness, places = self._look(luma, found.boxes)
        if not correct:
            return replace(found, faceness=faceness)
        return corrected(replace(found, faceness=faceness), near_squares(luma.shape, found.boxes), places)

    def faceness(self, luma: Uint8, boxes: Float32) -> Float32:
        """Return (N,), 0 to 1, of boxes (N, 4) in a picture (height, width); see ``judge``."""
        return self._look(luma, boxes)[0] if len(boxes) else np.zeros(0, np.float32)

    def _look(self, luma: Uint8, boxes: Float32) -> tuple[Float32, Float32]:
        step = self._session.profile.largest
        found = [self._session.run({_INPUT: face_windows(luma, boxes[at : at + step])}) for at in range(0, len(boxes), step)]
        faceness, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return np.asarray(faceness, np.float32), np.asarray(places, np.float32)

    def fits(self, detector: Detector) -> bool:
        """Whether it was fitted to this detector, so that both can decide together."""
        return self.agreement is not None and self.agreement.detector_sha256 == detector.model_sha256

    def facts(self) -> dict[str, str]:
        """Return what a run records of it."""
        return {
            "second_look": self.name,
            "second_look_sha256": self.model_sha256,
            "second_look_licence": self.licence,
            "second_look_runtime": self.runtime,
        }

    def close(self) -> None:
        """Free the model; nothing must be asked after it."""
        self._session.close()


def _logit(score: float) -> float:
    bounded = min(max(score, LEAST), 1 - LEAST)
    return math.log(bounded / (1 - bounded))


def corrected(found: Detections, squares: Float32, places: Float32) -> Detections:
    """Return detections at the mean of where they are and of where their places (N, 7, 2) in squares (N, 3) are."""
    boxes, landmarks = boxes_and_landmarks(squares, places)
    half = np.float32(0.5)
    return replace(found, boxes=half * (found.boxes + boxes), landmarks=half * (found.landmarks + landmarks))


def open_second_look(config: DetectConfig, find_model: FindModel) -> SecondLook | None:
    """Open the second look that comes with this package; None where the configuration asks for none.

    Raises:
        ModelError: it is missing or corrupt.
    """
    if not config.second_look:
        return None
    path = find_model(NAME)
    if path is None:
        raise ModelError(
            "the second look has no model file, although it comes with facestream: install facestream again, or set "
            "detect.second_look: false"
        )
    return SecondLook(SessionSpec(path, device=config.device))


def _limits(manifest: Manifest, path: Path) -> Faceness:
    try:
        return Faceness(*(manifest.figures[name] for name in ("refused_below", "accepted_from", "alone_from")))
    except KeyError as missing:
        raise ModelError(f"{path} gives no {missing.args[0]} among its figures: export it again") from None


def _agreement(manifest: Manifest) -> Agreement | None:
    names = [one.name for one in fields(Agreement) if one.name != "detector_sha256"]
    if "detector_sha256" not in manifest.versions or any(name not in manifest.figures for name in names):
        return None
    return Agreement(manifest.versions["detector_sha256"], *(manifest.figures[name] for name in names))


def _open(spec: SessionSpec) -> Session:
    session = open_session(spec)
    inputs, outputs = session.inputs, [spec.name for spec in session.outputs]
    expected = (len(CONTEXTS), SIDE_PX, SIDE_PX)
    fits = [spec.name for spec in inputs] == [_INPUT] and tuple(inputs[0].shape or ())[1:] == expected
    if not fits or inputs[0].dtype != np.uint8 or outputs != _OUTPUTS:
        session.close()
        raise ModelError(
            f"{spec.title} is not a second look: found the inputs {listed(inputs)} and the outputs {', '.join(outputs)}, "
            f"expected {_INPUT} uint8 Nx{'x'.join(map(str, expected))} and {', '.join(_OUTPUTS)}"
        )
    return session
