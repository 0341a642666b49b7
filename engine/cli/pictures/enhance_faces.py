"""The faces of a photograph, cut out for ``facestream enhance --faces``."""

from __future__ import annotations

import math
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.config import CropConfig, DetectConfig
from engine.contracts.frames import Float32, Planes, Uint8
from engine.detect.catalog import open_detector
from engine.detect.detector import Detector
from engine.detect.judged import open_judged
from engine.enrolment.portrait import find_people
from engine.errors import EnrolmentRefused, PictureError
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr


class Faces:
    """Finds and cuts faces with the default detector."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._detector, self._second_look = open_judged(DetectConfig(), find_model, photographs=True)
        self._opened.callback(self._detector.close)

    def cut(self, image: Path, picture: Uint8) -> list[tuple[str, Planes]]:
        """Return the faces with their margin, the largest first, each with what its name ends with.

        Where nobody is seen, it is looked for somebody who lies on a side, and for a face that the picture was cut to.

        Args:
            image: for sentences.
            picture: (height, width, 3) uint8 BGR.

        Raises:
            PictureError: the picture shows none.
            InferenceError: a model fails.
        """
        (faces,) = self._detector.detect([planes_from_bgr(picture, full_range=True)])
        found = [(picture, box) for box in faces.boxes] or self._looked_for_closer(image, picture)
        found.sort(key=lambda one: -float(one[1][2] * one[1][3]))
        return [(f"-face-{number}", _cut(bgr, box)) for number, (bgr, box) in enumerate(found, start=1)]

    def close(self) -> None:
        """Free the models."""
        self._opened.close()

    @cached_property
    def _alone(self) -> Detector:
        """The detector with its own least score: beside the second look it is asked at a lower one."""
        detector = open_detector(DetectConfig(), find_model)
        self._opened.callback(detector.close)
        return detector

    def _looked_for_closer(self, image: Path, picture: Uint8) -> list[tuple[Uint8, Float32]]:
        try:
            people = find_people(image, picture, self._alone, self._second_look)
        except EnrolmentRefused as refusal:
            raise PictureError(f"{image} shows no face that could be found: cut it to the face yourself") from refusal
        return [(person.bgr, _whole(person.bgr) if person.box is None else person.box) for person in people]


def _whole(picture: Uint8) -> Float32:
    return np.array([0, 0, picture.shape[1], picture.shape[0]], np.float32)


def _cut(picture: Uint8, box: Float32) -> Planes:
    """Return a face with the margin of a run."""
    x, y, width, height = map(float, box)
    margin = CropConfig().margin
    left, top = (max(0, math.floor(start - margin * length)) for start, length in ((x, width), (y, height)))
    right, bottom = (math.ceil(start + length * (1 + margin)) for start, length in ((x, width), (y, height)))
    return planes_from_bgr(np.ascontiguousarray(picture[top:bottom, left:right]), full_range=True)
