"""The judge tells people apart at the sizes of cameras, and a missing model costs comparisons only."""

from __future__ import annotations

from itertools import permutations

import cv2
import numpy as np
import pytest

from engine.config import DetectConfig
from engine.contracts.frames import Float32, Planes
from engine.detect.catalog import open_detector
from engine.errors import InferenceError, ModelError
from engine.models import find_model
from engine.perception import face_judge
from engine.perception.face_judge import FaceJudge
from engine.pictures.colour import planes_from_bgr
from engine.sample.people import PEOPLE, Person, photographs


@pytest.fixture(scope="module")
def judge():
    made = FaceJudge(pytest.fail)
    yield made
    made.close()


def picture_of(person: Person, face_px: float, light: float = 1.0, seed: int = 0) -> Planes:
    left, top, width, height = person.enrolment_crop
    crop = photographs()[person.photograph][top : top + height, left : left + width]
    scale = face_px / person.box[2]
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(small, 20, 20, 20, 20, cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(seed).normal(0, 2, wide.shape)
    even = wide[: wide.shape[0] // 2 * 2, : wide.shape[1] // 2 * 2] * light
    return planes_from_bgr(np.clip(even + noise[: even.shape[0], : even.shape[1]], 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def vectors(judge: FaceJudge) -> dict[tuple[str, float], list[Float32]]:
    """Two looks at everybody, in different light."""
    detector = open_detector(DetectConfig(detector="grey"), find_model)
    made: dict[tuple[str, float], list[Float32]] = {}
    for person in PEOPLE:
        for width_px in (24.0, 48.0):
            for seed, light in enumerate((1.0, 0.75)):
                planes = picture_of(person, width_px, light, seed)
                (found,) = detector.detect([planes])
                if not len(found):
                    continue
                look = judge.look(planes, found.boxes[0], found.landmarks[0])
                assert look is not None
                vector = judge.vector(look)
                assert vector is not None
                made.setdefault((person.name, width_px), []).append(vector)
    detector.close()
    return made


def test_the_same_face_is_the_same_person(judge: FaceJudge, vectors):
    pairs = [(key, looks) for key, looks in vectors.items() if len(looks) == 2]
    assert len(pairs) >= 8
    for (_, width_px), (one, other) in pairs:
        assert one @ other > judge.limits(width_px).even


def test_other_people_are_not(judge: FaceJudge, vectors):
    cosines = [
        (float(vectors[one][0] @ vectors[other][0]), judge.limits(one[1]))
        for one, other in permutations(vectors, 2)
        if one[1] == other[1] and one[0] != other[0]
    ]
    assert len(cosines) >= 20
    assert np.mean([cosine < limits.even for cosine, limits in cosines]) > 0.9
    assert not any(cosine >= limits.same for cosine, limits in cosines)


def test_limits_are_in_order_at_every_width(judge: FaceJudge):
    for width_px in (4.0, 12.0, 19.9, 20.0, 48.0, 400.0):
        limits = judge.limits(width_px)
        assert 0 < limits.different < limits.even < limits.same < 1


def test_without_landmarks_or_outside_the_picture_there_is_nothing_to_compare(judge: FaceJudge):
    planes = picture_of(PEOPLE[0], 48.0)
    points = np.zeros((5, 2), np.float32)
    assert judge.look(planes, np.array([10, 10, 40, 50], np.float32), None) is None
    assert judge.look(planes, np.array([-900, 10, 40, 50], np.float32), points) is None


def test_a_model_that_cannot_be_opened_is_said_once_and_nothing_is_compared(monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    judge = FaceJudge(said.append)

    def fail() -> None:
        raise ModelError("cannot write the embedder dlib: set FACESTREAM_MODELS")

    monkeypatch.setattr(face_judge, "_open", fail)
    planes = picture_of(PEOPLE[0], 48.0)
    points = np.array([[30, 40], [50, 40], [40, 50], [32, 60], [48, 60]], np.float32)
    look = judge.look(planes, np.array([20, 20, 40, 50], np.float32), points)
    assert look is not None
    assert [judge.vector(look), judge.vector(look)] == [None, None]
    assert said == ["faces of one track are not compared: cannot write the embedder dlib: set FACESTREAM_MODELS"]


def test_a_face_that_cannot_be_compared_costs_no_other(monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    judge = FaceJudge(said.append)

    class Embedder:
        fails = 2

        def embed(self, pictures, landmarks):
            self.fails -= 1
            if self.fails >= 0:
                raise InferenceError("dlib_small failed on chip (1, 3, 150, 150): no memory")
            return np.ones((1, 4), np.float32)

    monkeypatch.setattr(face_judge, "_open", Embedder)
    points = np.array([[30, 40], [50, 40], [40, 50], [32, 60], [48, 60]], np.float32)
    look = judge.look(picture_of(PEOPLE[0], 48.0), np.array([20, 20, 40, 50], np.float32), points)
    assert look is not None
    vectors = [judge.vector(look) for _ in range(3)]
    assert [vector is None for vector in vectors] == [True, True, False]
    assert said == ["a face of a track is not compared: dlib_small failed on chip (1, 3, 150, 150): no memory"]
