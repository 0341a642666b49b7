"""Decodes faces from the network's maps, and compares them with the labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from engine.contracts.frames import Detections, Float32, Uint8
from engine.detect.grey import face_shaped
from engine.detect.nested import without_nested
from engine.detect.yunet_decode import suppress
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.teacher import Labelled
from trt_build.networks.grey_detector import boxes_of, cells_of

SIZE_BANDS = ((10.0, 16.0), (16.0, 24.0), (24.0, 48.0), (48.0, np.inf))
MATCH_IOU = 0.4
ASKED_PRECISION, ASKED_ALARMS = 0.985, 0.01
"""Required precision from 16 px on, and most false alarms in a picture without a face."""
_SAME_PLACE_IOU = 0.2
_NARROWER = 0.85
"""How much narrower than a range of face widths a false alarm may be to count in it."""
_MULTIPLE_OF = 32
_MARGIN = 0.3
"""What is cut out around a detection, as a share of its size."""


def find_faces(network: nn.Module, picture: Uint8, min_score: float) -> Detections:
    """Run a network on one luma plane of any size."""
    height, width = picture.shape
    padded = np.zeros([-(-side // _MULTIPLE_OF) * _MULTIPLE_OF for side in (height, width)], np.uint8)
    padded[:height, :width] = picture
    with torch.inference_mode():
        device = next(network.parameters()).device
        raw = network(torch.from_numpy(padded)[None, None].float().to(device))[0]
        cells = cells_of(padded.shape[0], padded.shape[1], device)
        scores = raw[:, 0].sigmoid()
        chosen = torch.nonzero(scores > min_score)[:, 0]
        order = chosen[scores[chosen].argsort(descending=True)]
        place, stride = cells[0][order], cells[1][order]
        boxes = boxes_of(raw[order, 1:5], (place, stride))
        points = (raw[order, 5:].reshape(-1, 5, 2) + place[:, None]) * stride[:, None, None]
    found = Detections(boxes.cpu().numpy(), scores[order].cpu().numpy(), points.cpu().numpy())
    return without_nested(suppress(face_shaped(found)))


@dataclass
class Tally:
    """Faces found and labelled over many pictures; everything needed for figures at any threshold."""

    labelled: list[tuple[float, float]] = field(default_factory=list)
    """Width of each labelled face, and the best score that found it (0: never)."""
    false: list[tuple[float, float]] = field(default_factory=list)
    """Width and score of each false alarm."""
    point_errors: list[tuple[float, float]] = field(default_factory=list)
    """Width of each found face, and the mean distance of its points as a share of the eye distance."""
    empty: int = 0
    """Number of pictures without any face."""
    empty_scores: list[float] = field(default_factory=list)
    """Scores of the false alarms in those."""

    def add(self, truth: Labelled, found: Detections, smallest_px: float = 0.0) -> None:
        """Count one picture; detections over a doubtful face do not count, nor those below ``smallest_px``.

        A second detection within a face that was found is a false alarm.
        """
        left = list(range(len(found)))
        overlap = overlaps(np.concatenate([truth.boxes, truth.unsure]), found.boxes)
        for row, box, points in zip(overlap, truth.boxes, truth.points, strict=False):
            best, at = max(((row[at], at) for at in left), default=(0.0, -1))
            if best < MATCH_IOU:
                self.labelled.append((float(box[2]), 0.0))
                continue
            left.remove(at)
            self.labelled.append((float(box[2]), float(found.scores[at])))
            eyes = float(np.linalg.norm(points[0] - points[1]))
            error = float(np.linalg.norm(found.landmarks[at] - points, axis=1).mean())
            if np.isfinite(error):  # not if the true points are unknown
                self.point_errors.append((float(box[2]), error / max(eyes, 1e-3)))
        doubtful = overlap[len(truth.boxes) :]
        alarms = [at for at in left if found.boxes[at][2] >= smallest_px and not (doubtful[:, at] >= _SAME_PLACE_IOU).any()]
        self.false += [(float(found.boxes[at][2]), float(found.scores[at])) for at in alarms]
        if truth.is_empty:
            self.empty += 1
            self.empty_scores += [float(found.scores[at]) for at in alarms]

    def recall(self, threshold: float, low_px: float = 0.0, high_px: float = np.inf) -> float:
        """Return the share of labelled faces of these widths that were found; NaN if there are none."""
        scores = [score for width, score in self.labelled if low_px <= width < high_px]
        return float(np.mean([score >= threshold for score in scores])) if scores else float("nan")

    def precision(self, threshold: float, low_px: float = 0.0, high_px: float = np.inf) -> float:
        """Return the share of detections of these widths that are faces; 1 if there are none."""
        right = sum(score >= threshold for width, score in self.labelled if low_px <= width < high_px)
        wrong = sum(score >= threshold for width, score in self.false if _NARROWER * low_px <= width < _NARROWER * high_px)
        return right / (right + wrong) if right + wrong else 1.0

    def careful_threshold(self) -> float:
        """Return the lowest score, in hundredths, with the required precision and few enough false alarms."""
        for step in np.arange(0.2, 0.9, 0.01):
            alarms = sum(score >= step for score in self.empty_scores)
            if self.precision(step, 16) >= ASKED_PRECISION and alarms <= ASKED_ALARMS * self.empty:
                return float(step)
        return 0.9

    def quiet_threshold(self) -> float:
        """Return the lowest score, in hundredths, without a false alarm in any empty picture, at least
        ``careful_threshold()``.
        """
        return max(self.careful_threshold(), math.floor(100 * max(self.empty_scores, default=0.0) + 1) / 100)

    def figures(self, threshold: float) -> dict[str, float]:
        """Return recall and precision from 16 px, recall by width, the median error of the points, and false alarms."""
        rows = {"recall": self.recall(threshold, 16), "precision": self.precision(threshold, 16)}
        for low, high in SIZE_BANDS:
            rows[f"recall_{low:.0f}_px"] = self.recall(threshold, low, high)
        errors = [error for width, error in self.point_errors if width >= 16]
        rows["points"] = float(np.median(errors)) if errors else float("nan")
        alarms = sum(score >= threshold for score in self.empty_scores)
        rows["false_per_1000"] = 1000 * alarms / self.empty if self.empty else float("nan")
        return rows


def measure(network: nn.Module, pictures: Iterable[Labelled], min_score: float = 0.2) -> Tally:
    """Run a network over labelled pictures."""
    tally = Tally()
    for picture in pictures:
        tally.add(picture, find_faces(network, picture.image, min_score))
    return tally


def windows(picture: Uint8, boxes: Sequence[Float32]) -> list[Uint8]:
    """Cut out detections with some of their surroundings."""
    cuts = []
    for box in boxes:
        x, y, width, height = (float(value) for value in box)
        left, top = max(0, int(x - _MARGIN * width)), max(0, int(y - _MARGIN * height))
        cut = picture[top : int(y + (1 + _MARGIN) * height) + 1, left : int(x + (1 + _MARGIN) * width) + 1]
        if min(cut.shape) >= 8:
            cuts.append(cut.copy())
    return cuts
