"""Bicubic enlargement by a fixed convolution is OpenCV's."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")

from tests.trt_build.networks.small import luma  # noqa: E402
from trt_build.networks.generators.interpolation import Bicubic, bicubic_kernel  # noqa: E402


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_kernel_keeps_a_flat_picture(scale):
    np.testing.assert_allclose(bicubic_kernel(scale).sum(axis=(1, 2, 3)), 1, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 23)])
def test_is_opencv_bicubic(scale, height, width):
    picture = luma(1, 1, height, width)
    expected = cv2.resize(picture[0, 0].numpy(), (scale * width, scale * height), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(Bicubic(scale)(picture)[0, 0].numpy().reshape(expected.shape), expected, atol=1e-5)


def test_adds_nothing_to_a_state_dict():
    assert not Bicubic(4).state_dict()
