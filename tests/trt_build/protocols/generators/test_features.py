"""The distance of features: 0 for equal pictures, more for worse ones, one value for each pair."""

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="features are computed by torch")

from tests.trt_build.tiny import smooth_faces
from trt_build.protocols.generators.features import FeatureDistance


def test_blur_is_farther_the_stronger_it_is():
    faces = smooth_faces(3, 64).images
    distance = FeatureDistance()
    blurred = [np.stack([cv2.GaussianBlur(face, (0, 0), sigma) for face in faces]) for sigma in (1, 4)]
    same, little, much = (distance(some, faces) for some in (faces, *blurred))
    assert same.tolist() == [0, 0, 0]
    assert little.shape == (3,)
    assert (little > 0).all()
    assert (little < much).all()


def test_each_pair_is_measured_alone():
    faces = smooth_faces(4, 64).images
    distance = FeatureDistance()
    together = distance(faces[:2], faces[2:])
    assert together[1:] == pytest.approx(distance(faces[1:2], faces[3:]))


@pytest.mark.parametrize("shape", [(61, 93), (64, 47), (97, 100)])
def test_pictures_need_not_be_square(shape):
    one = np.random.default_rng(0).integers(0, 256, (1, *shape), dtype=np.uint8)
    assert FeatureDistance()(one, 255 - one)[0] > 0
