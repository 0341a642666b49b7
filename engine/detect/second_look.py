"""A second look at what a detector found: a small network of ours says of each box whether it is a face.

Detectors hold on to burnt-in digits, vests and lamps for seconds, with high scores. Whoever publishes tracks asks here first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.config import DetectConfig
from engine.contracts.frames import Detections, Float32, TrackedFace, Uint8
from engine.contracts.manifest import Manifest, read_manifest
from engine.detect.catalog import FindModel
from engine.detect.detector import Detector
from engine.detect.face_windows import CONTEXTS, SIDE_PX, face_windows
from engine.errors import ModelError
from engine.runtime.session import Session, SessionSpec, open_session
from engine.runtime.tensors import listed

NAME = "second_look"
_INPUT, _OUTPUT = "windows", "faceness"


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
    """The same of the score, which where detector and second look decide together is of both: then it says more than the
    faceness."""
    score_alone_from: float = 0.0
    """Likewise."""

    def of_a_photograph(self) -> Faceness:
        """Return the limits where there is no more than a look or two: what is reported is accepted.

        The others are stricter than those of a picture, since a track has many chances to be taken for a face once.
        """
        return Faceness(self.refused_below, self.refused_below, self.refused_below)

    def accepts(self, face: TrackedFace, *, alone: bool) -> bool:
        """Whether a face makes its track one of a face; ``alone``: although it is seen too seldom."""
        faceness, score = (self.alone_from, self.score_alone_from) if alone else (self.accepted_from, self.score_from)
        return face.faceness is not None and face.faceness >= faceness and face.score >= score


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
    """From which its track is one of a face."""
    agreed_alone_from: float
    """Likewise, where it is seen once."""


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

    def judge(self, luma: Uint8, found: Detections) -> Detections:
        """Return the same detections, each with its faceness.

        Args:
            luma: (height, width) of the picture, of full or video range.
            found: in its pixels.

        Raises:
            InferenceError: the model fails.
        """
        return replace(found, faceness=self.faceness(luma, found.boxes))

    def faceness(self, luma: Uint8, boxes: Float32) -> Float32:
        """Return (N,), 0 to 1, of boxes (N, 4) in a picture (height, width); see ``judge``."""
        found, step = [np.zeros(0, np.float32)], self._session.profile.largest
        for at in range(0, len(boxes), step):
            found += self._session.run({_INPUT: face_windows(luma, boxes[at : at + step])})
        return np.concatenate(found)

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
    names = ("asked_from", "weight", "min_score", "sure_score", "agreed_from", "agreed_alone_from")
    if "detector_sha256" not in manifest.versions or any(name not in manifest.figures for name in names):
        return None
    return Agreement(manifest.versions["detector_sha256"], *(manifest.figures[name] for name in names))


def _open(spec: SessionSpec) -> Session:
    session = open_session(spec)
    inputs, outputs = session.inputs, [spec.name for spec in session.outputs]
    expected = (len(CONTEXTS), SIDE_PX, SIDE_PX)
    fits = [spec.name for spec in inputs] == [_INPUT] and tuple(inputs[0].shape or ())[1:] == expected
    if not fits or inputs[0].dtype != np.uint8 or outputs != [_OUTPUT]:
        session.close()
        raise ModelError(
            f"{spec.title} is not a second look: found the inputs {listed(inputs)} and the outputs {', '.join(outputs)}, "
            f"expected {_INPUT} uint8 Nx{'x'.join(map(str, expected))} and {_OUTPUT}"
        )
    return session
