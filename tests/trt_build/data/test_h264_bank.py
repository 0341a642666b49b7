"""The H.264 bank: aligned with the sharp faces, seeded, and really compressed."""

import cv2
import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces
from trt_build.data import degradation
from trt_build.data.h264_bank import make_bank, through_h264
from trt_build.errors import DataError
from trt_build.recipes.degradations import H264Spec

SPEC = H264Spec(passes=2, frames=6, crf_min=23, crf_max=30)


@pytest.fixture(scope="module")
def faces():
    return smooth_faces(5, 128).images


@pytest.fixture(scope="module")
def bank(faces):
    return make_bank(faces, 32, SPEC, seed=1)


def test_the_same_frames_are_always_encoded_alike():
    """Also where the memory that the encoder gets is not empty."""
    rng = np.random.default_rng(0)
    frames = [cv2.resize(rng.integers(0, 256, (12, 12), np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC) for _ in range(8)]
    results = set()
    for _ in range(40):
        used = [np.full(int(rng.integers(1_000, 200_000)), int(rng.integers(0, 256)), np.uint8) for _ in range(20)]
        del used
        results.add(np.stack(through_h264(iter(frames), (64, 64), 35)).tobytes())
    assert len(results) == 1


def test_shape_and_order(bank):
    assert bank.shape == (2, 5, 32, 32)
    assert bank.dtype == np.uint8


def test_each_face_stands_where_its_sharp_one_does(faces, bank):
    def error(shift_y, shift_x):
        moved = np.roll(bank[0], (shift_y, shift_x), axis=(1, 2)).astype(float)
        return np.abs(moved - clean)[:, 4:-4, 4:-4].mean()

    clean = np.stack([degradation.clean(face, 32) for face in faces]).astype(float)
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert min(shifts, key=lambda shift: error(*shift)) == (0, 0)
    assert 0 < error(0, 0) < 20


def test_passes_differ_and_a_seed_repeats(faces, bank):
    assert np.any(bank[0] != bank[1])
    again = make_bank(faces, 32, SPEC, seed=1)
    np.testing.assert_array_equal(again, bank)


def test_reports_every_face(faces):
    counts = []
    make_bank(faces, 32, H264Spec(passes=1, frames=6), seed=0, done=counts.append)
    assert sum(counts) == len(faces)


@pytest.mark.parametrize("size", [64, 100])
def test_larger_faces_have_room_too(size):
    faces = smooth_faces(3, 2 * size).images
    found = make_bank(faces, size, H264Spec(passes=1, frames=6, crf_min=20, crf_max=20, noise_max=0), seed=2)[0]
    clean = np.stack([degradation.clean(face, size) for face in faces]).astype(float)
    assert found.shape == (3, size, size)
    assert np.abs(found - clean)[:, 4:-4, 4:-4].mean() < 20


def test_what_no_clip_can_hold_is_one_sentence():
    with pytest.raises(DataError, match="710 px are too large"):
        make_bank(smooth_faces(1, 710).images, 710, H264Spec(passes=1, frames=6), seed=0)
