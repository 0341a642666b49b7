"""PSNR and SSIM against scikit-image and torchmetrics."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from trt_build.evaluate.metrics import bicubic, psnr, ssim


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
