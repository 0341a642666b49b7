from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.frames import Planes
from engine.crop.combs import combed
from engine.crop.quality import assess, combine
from tests.crop.photographs import FOUND, planes_of


def face_photographs(size_px: int) -> list[np.ndarray]:
    """Return the luma of the photographs' faces, ``size_px`` wide."""
    faces = []
    for name, found in FOUND.items():
        for values in found:
            x, y, width, height = (round(value) for value in values[:4])
            face = planes_of(name).y[y : y + height, x : x + width]
            faces.append(cv2.resize(face, (size_px, round(size_px * height / width)), interpolation=cv2.INTER_AREA))
    return faces


def combed_copy(face: np.ndarray, shift: int) -> np.ndarray:
    """Return a face whose odd lines are ``shift`` pixels further."""
    result = face.copy()
    result[1::2] = np.roll(face, shift, axis=1)[1::2]
    return result


def test_combs_are_seen_and_whole_faces_are_left_alone():
    for face in face_photographs(48):
        assert combed(face) == 0.0
        assert combed(combed_copy(face, 4)) > 0.4


@pytest.mark.parametrize("noise", [0, 4, 10])
def test_noise_is_no_comb(noise):
    rng = np.random.default_rng(3)
    for face in face_photographs(32):
        noisy = np.clip(face + rng.normal(0, noise, face.shape), 0, 255).astype(np.uint8)
        assert combed(noisy) < 0.1


def test_a_combed_face_loses_most_of_its_score():
    (face, *_) = face_photographs(48)
    whole, torn = (rated(f) for f in (face, combed_copy(face, 6)))
    assert torn < 0.5 * whole


def test_a_face_of_a_damaged_picture_is_below_the_poorest_of_whole_ones():
    (face, *_) = face_photographs(48)
    damaged = assess(planes(face), (0, 0, *face.shape[::-1]), None, 0.99, damaged=True)
    assert damaged.damaged
    assert 0 < damaged.score < combine(4, 0, 0, 0, 1.0)


@settings(max_examples=50)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 255))
def test_flat_and_tiny_pictures_have_no_combs(height, width, level):
    assert combed(np.full((height, width), level, np.uint8)) == 0.0


def planes(face: np.ndarray) -> Planes:
    chroma = np.full(((face.shape[0] + 1) // 2, (face.shape[1] + 1) // 2), 128, np.uint8)
    return Planes(face, chroma, chroma)


def rated(face: np.ndarray) -> float:
    return assess(planes(face), (0, 0, *face.shape[::-1]), None, 1.0).score
