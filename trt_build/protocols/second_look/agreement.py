"""Chooses the weights of the second look and its detector on the detector's validation pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.contracts.frames import Detections
from engine.detect.detector import Detector
from engine.detect.face_windows import face_windows, near_squares
from engine.detect.judged import agreed_scores
from engine.detect.nested import one_a_face
from engine.detect.second_look import Agreement, corrected
from trt_build.data.scenes.teacher import Labelled, grey_planes
from trt_build.networks.second_look import SecondLook
from trt_build.protocols.detector.pictures import BANDS
from trt_build.systems.detector.scoring import Tally
from trt_build.systems.second_look.training import looked
from trt_build.work import Done

ASKED_FROM = 0.25
_WEIGHTS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
_AGREED, _EVIDENCE, _AGREED_ALONE, _MISSED = 0.59, 2.75, 1.575, 1.0
"""How far, in logits, above the score that is precise enough for a picture: the score that speaks for a track, what its faces
must bring together above that one, and the score of a face that needs no other; and what a look takes away at which the track
is not seen. A false alarm that stays comes and goes, a face is found look after look. Found on clips (see the card), as
pictures do not move."""
_LEAST_GAIN = 0.01
"""Least gain in the mean recall over all widths that is worth a second look."""


@dataclass(frozen=True)
class Seen:
    """A picture with the results of both at a low threshold."""

    truth: Labelled
    found: Detections


def look_at(pictures: Sequence[Labelled], detector: Detector, network: SecondLook, done: Done) -> list[Seen]:
    """Run both over full-range pictures; the detector must be open at ``ASKED_FROM``."""
    seen = []
    for number, truth in enumerate(pictures):
        image = np.ascontiguousarray(truth.image)
        (found,) = detector.detect([grey_planes(image, full_range=True)])
        faceness, places = looked(network, face_windows(image, found.boxes))
        squares = near_squares(image.shape, found.boxes)
        seen.append(Seen(truth, corrected(replace(found, faceness=faceness), squares, places)))
        done("agreement", number + 1, len(pictures))
    return seen


def _tally_of(seen: Sequence[Seen], weight: float) -> Tally:
    """Count faces and false alarms by the combined score."""
    tally = Tally()
    for one in seen:
        assert one.found.faceness is not None
        scores = agreed_scores(one.found.scores, one.found.faceness, weight)
        order = np.argsort(-scores, kind="stable")
        ranked = Detections(one.found.boxes[order], scores[order], one.found.landmarks[order])
        tally.add(one.truth, one_a_face(ranked))
    return tally


def fit(seen: Sequence[Seen], detector_sha256: str) -> Agreement | None:
    """Return the weight with which most faces are found, with equal weight for each width; None if the detector alone is as
    good.
    """
    tallies = {weight: _tally_of(seen, weight) for weight in _WEIGHTS}
    recalls = {weight: _mean_recall(tally) for weight, tally in tallies.items()}
    weight = max(recalls, key=lambda one: (recalls[one], -one))
    if recalls[weight] < recalls[0.0] + _LEAST_GAIN:
        return None
    tally = tallies[weight]
    lower, upper = tally.careful_threshold(), tally.quiet_threshold()
    figures = (lower, (lower + upper) / 2, _raised(lower, _AGREED), _EVIDENCE, _raised(lower, _AGREED_ALONE), _MISSED)
    return Agreement(detector_sha256, ASKED_FROM, weight, *(round(one, 3) for one in figures))


def _raised(score: float, by: float) -> float:
    """Return a score with its logit raised by an amount."""
    return float(1 / (1 + (1 / score - 1) * np.exp(-by)))


def _mean_recall(tally: Tally) -> float:
    threshold = tally.careful_threshold()
    return float(np.nanmean([tally.recall(threshold, low, high) for low, high in BANDS]))
