"""PSNR and SSIM on luma of 0 to 255, as the super-resolution literature computes them.

The tests compare them with scikit-image and torchmetrics. A border of ``scale`` pixels is cut off first.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trt_build.measures.luma import Luma

Luma8 = NDArray[np.uint8]

SSIM_RADIUS, SSIM_SIGMA = 5, 1.5
HIGHEST_DB = 100.0
"""Value of equal pictures in a mean."""
SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def shave(image: Luma, border: int) -> Luma:
    """Cut `border` px from each side."""
    return image[border:-border, border:-border] if border else image


def psnr(image: Luma, truth: Luma, border: int) -> float:
    """Peak signal-to-noise ratio in dB over (H, W) with a peak of 255; infinite for equal images."""
    difference = shave(image, border).astype(np.float64) - shave(truth, border)
    error = float(np.mean(difference**2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(image: Luma, truth: Luma, border: int) -> float:
    """Structural similarity (Wang 2004): Gaussian window of 11x11, sigma 1.5, valid part only."""
    x = shave(image, border).astype(np.float64)
    y = shave(truth, border).astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    var_x = _window(x * x) - mean_x**2
    var_y = _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + SSIM_C1) * (2 * covariance + SSIM_C2)
    bottom = (mean_x**2 + mean_y**2 + SSIM_C1) * (var_x + var_y + SSIM_C2)
    valid = slice(SSIM_RADIUS, -SSIM_RADIUS)
    return float(np.mean((top / bottom)[valid, valid]))


def _window(image: NDArray[np.float64]) -> NDArray[np.float64]:
    side = 2 * SSIM_RADIUS + 1
    return np.asarray(cv2.GaussianBlur(image, (side, side), SSIM_SIGMA), dtype=np.float64)


def lr_consistency(enlarged: Luma, low: Luma) -> float:
    """PSNR (dB, at most 100) of a result, shrunk back by area, against the input; meaningful only for clean input."""
    height, width = low.shape
    back = cv2.resize(enlarged.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return min(psnr(np.clip(np.rint(back), 0, 255).astype(np.uint8), low, 0), HIGHEST_DB)


def lanczos(image: Luma8, scale: int) -> Luma8:
    """OpenCV's INTER_LANCZOS4 on 8 bits: on clean faces the best plain interpolation."""
    height, width = image.shape
    size = (width * scale, height * scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4), dtype=np.uint8)


def bicubic(image: Luma8, scale: int) -> Luma8:
    """The baseline: OpenCV's INTER_CUBIC on 8 bits (a = -0.75, no antialias filter)."""
    height, width = image.shape
    size = (width * scale, height * scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
