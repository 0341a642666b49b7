"""Bicubic with a = -0.5 against an `imresize` written out here, and what training uses."""

import numpy as np
import pytest

from trt_build.data.degradation import shrink
from trt_build.measures.resample import cubic, enlarge_cubic


def keys(x):
    """Keys (1981) with a = -0.5."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def imresize_matrix(length, result):
    """Weights of MATLAB's imresize without its border: (result, length)."""
    scale = result / length
    wide = min(scale, 1)
    centres = (np.arange(result) + 0.5) / scale - 0.5
    weights = wide * keys(wide * (centres[:, None] - np.arange(length)[None]))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("factor", [1 / 4, 1 / 3, 1 / 2, 2, 3, 4])
def test_it_is_imresize(factor):
    image = np.random.default_rng(0).uniform(0, 255, (48, 36))
    size = (round(48 * factor), round(36 * factor))
    expected = imresize_matrix(48, size[0]) @ image @ imresize_matrix(36, size[1]).T
    np.testing.assert_allclose(cubic(image, size), expected, atol=2e-3)


def test_training_shrinks_in_the_same_way():
    image = np.random.default_rng(1).uniform(0, 255, (48, 48)).astype(np.float32)
    np.testing.assert_allclose(shrink(image, 12, "antialiased_cubic"), cubic(image.astype(np.float64), (12, 12)), atol=1e-4)


def test_enlarging_clamps_and_rounds():
    stack = np.array([[[0, 255], [255, 0]]], np.uint8)
    large = enlarge_cubic(stack, 4)
    assert large.shape == (1, 8, 8)
    assert large.dtype == np.uint8
    assert large[0, 0, 0] < 10
    assert large[0, 0, -1] > 245
