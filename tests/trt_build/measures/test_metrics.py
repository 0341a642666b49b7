"""PSNR and SSIM against scikit-image and torchmetrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from trt_build.measures.metrics import HIGHEST_DB, bicubic, lr_consistency, psnr, ssim


@pytest.fixture(params=[0, 4])
def pair(request):
    rng = np.random.default_rng(request.param)
    truth = rng.integers(0, 256, (40, 52), dtype=np.uint8)
    noisy = np.clip(truth + rng.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)
    return noisy, truth, request.param


def cut(image, border):
    return image[border:-border, border:-border] if border else image


def test_psnr_equals_scikit_image(pair):
    image, truth, border = pair
    expected = peak_signal_noise_ratio(cut(truth, border), cut(image, border), data_range=255)
    assert psnr(image, truth, border) == pytest.approx(expected)


def test_ssim_equals_scikit_image(pair):
    image, truth, border = pair
    expected = structural_similarity(
        cut(truth, border),
        cut(image, border),
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(image, truth, border) == pytest.approx(expected, abs=1e-6)


def test_both_equal_torchmetrics(pair):
    torch = pytest.importorskip("torch", reason="compares with torchmetrics")
    functional = pytest.importorskip("torchmetrics.functional.image", reason="compares with torchmetrics")
    image, truth, border = pair
    left, right = (torch.from_numpy(cut(i, border).astype(np.float64))[None, None] for i in (image, truth))
    noise = functional.peak_signal_noise_ratio(left, right, data_range=255.0)
    assert psnr(image, truth, border) == pytest.approx(noise.item(), abs=1e-4)
    similar = functional.structural_similarity_index_measure(left, right, data_range=255.0)
    assert ssim(image, truth, border) == pytest.approx(similar.item(), abs=2e-3)  # it averages another border


def test_equal_pictures():
    image = np.full((20, 20), 9, np.uint8)
    assert psnr(image, image, 4) == float("inf")
    assert ssim(image, image, 0) == pytest.approx(1)


def test_bicubic_size():
    assert bicubic(np.zeros((5, 7), np.uint8), 4).shape == (20, 28)


@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_both_are_symmetric_and_fall_with_noise(seed, level):
    rng = np.random.default_rng(seed)
    truth = rng.integers(40, 216, (24, 20)).astype(np.float64)
    noise = rng.normal(size=truth.shape)
    image, worse = truth + level * noise, truth + (level + 5) * noise
    assert psnr(image, truth, 2) == pytest.approx(psnr(truth, image, 2))
    assert ssim(image, truth, 2) == pytest.approx(ssim(truth, image, 2))
    assert psnr(worse, truth, 2) < psnr(image, truth, 2)
    assert -1 <= ssim(worse, truth, 2) < ssim(image, truth, 2) <= 1 + 1e-12


def test_levels_that_are_not_rounded_count():
    truth = np.full((20, 20), 9, np.uint8)
    assert psnr(truth + 0.5, truth, 0) == pytest.approx(20 * np.log10(255 / 0.5))


def test_consistency_with_the_input():
    low = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    assert lr_consistency(low.repeat(4, axis=0).repeat(4, axis=1), low) == HIGHEST_DB
    assert lr_consistency(bicubic(low, 4), low) < 40
