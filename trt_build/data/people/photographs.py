"""The photographs that take part, with the box of the face and the vector that a gallery would hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.crop.quality import assess
from engine.detect.catalog import open_detector
from engine.models.catalog import find_model
from engine.verify.embedder import open_embedder
from trt_build.data.faces import grey_pictures
from trt_build.data.people.scene import Actor
from trt_build.data.scenes.teacher import grey_planes
from trt_build.errors import DataError
from trt_build.work import Done


@dataclass(frozen=True, eq=False)
class Photographs:
    """N photographs of one face each, as enrolment would see them."""

    actors: list[Actor]
    vectors: Float32
    """(N, length), each of length 1."""
    quality: Float32
    """(N,), see ``engine.crop.quality``."""

    def of_people(self) -> dict[str, list[int]]:
        """Return the photographs of each person, best first."""
        people: dict[str, list[int]] = {}
        for at in np.argsort(-self.quality, kind="stable").tolist():
            people.setdefault(person_of(self.actors[at].name), []).append(at)
        return dict(sorted(people.items()))


def person_of(name: str) -> str:
    """Return the person of ``PERSON/PICTURE``."""
    return name.rsplit("/", 1)[0]


def read_photographs(faces: Path, detector: str, done: Done) -> Photographs:
    """Find and embed the face of every photograph of a zip or folder; photographs without a face are left out.

    Args:
        faces: ``PERSON/PICTURE`` with one face near the centre.
        detector: as ``detect.detector``.
        done: for progress.

    Raises:
        DataError: the faces cannot be read, or the detector finds none.
    """
    names, pictures = zip(*grey_pictures(faces, "faces"), strict=True)
    finder, embedder = open_detector(DetectConfig(detector=detector), find_model), open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    actors, vectors, quality = list[Actor](), list[Float32](), list[float]()
    try:
        for at, (name, luma) in enumerate(zip(names, pictures, strict=True)):
            done("photographs", at + 1, len(names))
            border = luma.shape[0] // 3
            picture = np.asarray(cv2.copyMakeBorder(luma, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)
            planes = grey_planes(picture, full_range=True)
            (found,) = finder.detect([planes])
            which = _middle(found.boxes, picture)
            if which is None:
                continue
            box, points = found.boxes[which], found.landmarks[which]
            x, y, width, height = (float(value) for value in box)
            actors.append(Actor(name, luma, (x - border, y - border, width, height)))
            vectors.append(embedder.embed([np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)], [points])[0])
            quality.append(assess(planes, box, points, float(found.scores[which])).score)
    finally:
        finder.close()
        embedder.close()
    if not actors:
        raise DataError(f"The detector '{detector}' finds no face in '{faces}'.")
    return Photographs(actors, np.stack(vectors), np.array(quality, np.float32))


def _middle(boxes: Float32, luma: Uint8) -> int | None:
    """Return the index of the face closest to the picture's centre, within a quarter of the picture; None if there is none."""
    if not len(boxes):
        return None
    side = np.array(luma.shape[::-1], np.float64)
    away = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - side / 2, axis=1)
    nearest = int(np.argmin(away))
    return nearest if away[nearest] < 0.25 * side.min() else None


def choose(names: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """Return ``count`` names in random order; how often two names occur differs by at most one."""
    order: list[str] = []
    while len(order) < count:
        order += [names[at] for at in rng.permutation(len(names))]
    return order[:count]
