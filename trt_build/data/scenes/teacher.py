"""A larger detector that labels grey pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Detections, Float32, Planes, Uint8
from engine.detect.yunet import YuNet
from engine.pictures.colour import planes_from_bgr
from engine.sessions.session import SessionSpec
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.insight import Insight
from trt_build.errors import DataError

SURE, UNSURE = 0.6, 0.3
"""Scores from which a teacher's box is a face, and from which it may be one; in between it neither trains nor counts."""
_VIEWS = ((0.7, 0, 0), (0.8, 3, 5), (0.9, 6, 1), (1.0, 5, 3), (1.15, 2, 2), (1.3, 4, 6))
"""Scale, and columns and rows cut off, of the other views of a picture, in which a face falls on other positions of the
detector's grid.
"""
_SAME_IOU, _LEAST_VIEWS = 0.4, 4


@dataclass(frozen=True)
class Labelled:
    """One grey picture and the teacher's labels."""

    image: Uint8
    """(H, W), luma as decoded, so usually 16 to 235."""
    boxes: Float32 = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    """(N, 4) x, y, width, height of faces."""
    points: Float32 = field(default_factory=lambda: np.zeros((0, 5, 2), np.float32))
    """(N, 5, 2), in the order of ``Detections.landmarks``."""
    unsure: Float32 = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    """(M, 4) boxes that may be faces."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing here could be a face."""
        return not len(self.boxes) and not len(self.unsure)


class Teacher:
    """Labels grey pictures; the network is opened with the first picture, so that a teacher can be passed to a
    forked process.
    """

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise DataError(f"There is no teacher '{model}': give material.teacher the path of a YuNet-format ONNX file.")
        self._model = model

    @cached_property
    def _detector(self) -> YuNet:
        return YuNet(SessionSpec(self._model, "onnxruntime"), UNSURE, "teacher", "")

    @cached_property
    def _inside(self) -> Insight:
        return Insight(self._model)

    def look(self, image: Uint8) -> tuple[Float32, Float32]:
        """Return score (cells,) and features (cells, channels) of every cell of a picture in video range, see ``Insight``."""
        return self._inside.look(expand(image))

    def label(self, image: Uint8, *, full_range: bool) -> Labelled:
        """Return the picture with its faces; ``full_range``: luma is 0 to 255, otherwise 16 to 235."""
        found = self.scored(image if full_range else expand(image))
        sure = found.scores >= SURE
        return Labelled(image, found.boxes[sure], found.landmarks[sure], found.boxes[~sure])

    def scored(self, image: Uint8) -> Detections:
        """Return everything that may be a face, with scores, in a full-range picture."""
        planes = planes_from_bgr(np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8), full_range=True)
        (found,) = self._detector.detect([planes])
        return found

    def steadied(self, labelled: Labelled, *, full_range: bool) -> Labelled:
        """Return the same faces with their points averaged over other views of the picture, slightly larger, smaller and
        shifted.

        YuNet's points vary by about 5 % of the eye distance between such views. A face that is found in fewer than four of the
        six views keeps its points.
        """
        if not len(labelled.boxes):
            return labelled
        height, width = labelled.image.shape
        views: list[list[Float32]] = [[] for _ in labelled.boxes]
        for scale, left, top in _VIEWS:
            size = (round(width * scale), round(height * scale))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            resized = cv2.resize(labelled.image, size, interpolation=how)[top:, left:]
            seen = self.label(np.ascontiguousarray(resized, np.uint8), full_range=full_range)
            start, factor = np.array([left, top], np.float32), np.array(size, np.float32) / (width, height)
            boxes = np.concatenate([(seen.boxes[:, :2] + start) / factor, seen.boxes[:, 2:] / factor], axis=1)
            overlap = overlaps(labelled.boxes, boxes)
            for row, found in zip(overlap, views, strict=True):
                if len(boxes) and row.max() >= _SAME_IOU:
                    found.append((seen.points[row.argmax()] + start) / factor)
        pairs = zip(views, labelled.points, strict=True)
        mean = [np.mean(found, axis=0) if len(found) >= _LEAST_VIEWS else single for found, single in pairs]
        return replace(labelled, points=np.stack(mean).astype(np.float32))


def grey_planes(luma: Uint8, *, full_range: bool) -> Planes:
    """Return luma (H, W) as a detector takes it, with the chroma of grey."""
    height, width = luma.shape
    neutral = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    return Planes(luma, neutral, neutral, full_range=full_range)


def expand(luma: Uint8) -> Uint8:
    """Return 16 to 235 as 0 to 255."""
    return np.asarray(cv2.convertScaleAbs(cv2.subtract(luma, np.array([16.0])), alpha=255 / 219), np.uint8)
