import numpy as np
import pytest

from trt_build.measures.luma import luma_of


@pytest.mark.parametrize(
    ("rgb", "luma"),
    # MATLAB's rgb2ycbcr for uint8, before its rounding.
    [((0, 0, 0), 16), ((255, 255, 255), 235), ((255, 0, 0), 81.481), ((0, 255, 0), 144.553), ((0, 0, 255), 40.966)],
)
def test_luma_is_matlabs(rgb, luma):
    np.testing.assert_allclose(luma_of(np.full((2, 3, 3), rgb, np.uint8)), luma)


def test_luma_equals_scikit_images():
    color = pytest.importorskip("skimage.color")
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    np.testing.assert_allclose(luma_of(picture), color.rgb2ycbcr(picture)[..., 0], atol=1e-9)


def test_grey_files_are_taken_as_they_are():
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(luma_of(picture), picture)
