"""Degradations: seeded, of the right size and range, and doing what their names say."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trt_build.tiny import smooth_faces
from trt_build.data import degradation
from trt_build.measures.resample import to_levels

FACE = smooth_faces(1, 128).images[0]


@pytest.mark.parametrize("degrade", [degradation.first_order, degradation.second_order])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([10, 16, 24, 32]))
def test_orders_are_seeded_and_sized(degrade, seed, size):
    one, two = (degrade(FACE, size, np.random.default_rng(seed)) for _ in range(2))
    assert one.shape == (size, size)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, two)


def test_clean_is_the_mean_of_each_square():
    expected = FACE.reshape(32, 4, 32, 4).mean(axis=(1, 3))
    assert np.abs(degradation.clean(FACE, 32) - expected).max() <= 0.5


@pytest.mark.parametrize("method", degradation.DOWN_METHODS)
def test_shrinking_keeps_the_mean(method):
    image = FACE.astype(np.float32)
    assert degradation.shrink(image, 32, method).mean() == pytest.approx(image.mean(), abs=1.5)


@pytest.mark.parametrize("kernel", [degradation.disk_kernel(2.0), degradation.anisotropic_kernel(1.0, 3.0, 0.7)])
def test_kernels_sum_to_one(kernel):
    assert kernel.sum() == pytest.approx(1, abs=1e-5)


def test_motion_blur_lowers_sharpness_and_keeps_the_mean():
    image = FACE.astype(np.float32)
    blurred = degradation.motion_blur(image, np.random.default_rng(1), 9.0, 9.0)
    assert cv2.Laplacian(blurred, cv2.CV_32F).var() < cv2.Laplacian(image, cv2.CV_32F).var()
    assert blurred.mean() == pytest.approx(image.mean(), abs=1)


def test_sensor_noise_has_the_poisson_and_gaussian_variance():
    class Highest:
        def __init__(self):
            self._rng = np.random.default_rng(3)
            self.poisson, self.standard_normal = self._rng.poisson, self._rng.standard_normal

        def uniform(self, low, high):
            return high

    flat = np.full((400, 400), 100, dtype=np.float32)
    noisy = degradation.sensor_noise(flat, Highest(), 0.5, 6.0)
    assert noisy.var() == pytest.approx(0.5 * 100 + 36, rel=0.05)
    assert noisy.mean() == pytest.approx(100, abs=0.2)


def test_jpeg_of_low_quality_changes_more():
    image = degradation.clean(FACE, 32).astype(np.float32)
    rng = np.random.default_rng(0)
    errors = [np.abs(degradation.jpeg(image, rng, q, q) - image).mean() for q in (10, 95)]
    assert errors[0] > errors[1]


def test_sharpening_then_rounding_stays_in_range():
    image = np.zeros((16, 16), np.float32)
    image[8:] = 255
    out = to_levels(degradation.sharpen(image, np.random.default_rng(0)))
    assert out.min() == 0
    assert out.max() == 255
