"""Degrades sharp faces to surveillance-like ones: pure functions of (image, rng).

Images are luma, float32 (H, W), in 8-bit levels [0, 255]; only `to_levels` rounds. The order is
the camera's: optics, motion, sampling, sensor noise, sharpening, compression, player. The ranges
follow ReDegNet and Real-ESRGAN (second order, halved), set for faces of 128 px brought to 32 px.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from trt_build.measures.resample import to_levels

Image = NDArray[np.float32]
Luma8 = NDArray[np.uint8]
Random = np.random.Generator

DOWN_METHODS = ("area", "linear", "antialiased_cubic")


def resize(image: Image, size: int, flag: int) -> Image:
    """cv2.resize of a square image to (size, size)."""
    return np.asarray(cv2.resize(image, (size, size), interpolation=flag), dtype=np.float32)


def convolve(image: Image, kernel: Image) -> Image:
    """Filter with reflected borders."""
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)


def _gaussian(image: Image, sigma: float) -> Image:
    """Gaussian blur with reflected borders."""
    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32)


def shrink(image: Image, size: int, method: str) -> Image:
    """Shrink a square image to (size, size) by one of `DOWN_METHODS` (the last is Pillow's)."""
    if method == "antialiased_cubic":
        resized = PILImage.fromarray(image).resize((size, size), PILImage.Resampling.BICUBIC)
        return np.asarray(resized, dtype=np.float32)
    flag = cv2.INTER_AREA if method == "area" else cv2.INTER_LINEAR
    return resize(image, size, flag)


def optical_blur(image: Image, rng: Random, low: float, high: float) -> Image:
    """Gaussian blur of sigma low..high px (anisotropic in 30 % of cases), or in 5 % of cases a disk of that radius."""
    sigma = rng.uniform(low, high)
    draw = rng.random()
    if draw < 0.05:
        return convolve(image, disk_kernel(max(sigma, 0.5)))
    if draw < 0.35:
        kernel = anisotropic_kernel(sigma, rng.uniform(low, high), rng.uniform(0, np.pi))
        return convolve(image, kernel)
    return _gaussian(image, sigma)


def normalised(kernel: NDArray[np.float64]) -> Image:
    """The kernel with a sum of 1."""
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def disk_kernel(radius: float) -> Image:
    """Out-of-focus disk of `radius` px with a soft edge, summing to 1."""
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return normalised(kernel)


def anisotropic_kernel(sigma_x: float, sigma_y: float, angle: float) -> Image:
    """Rotated Gaussian, 13x13, summing to 1."""
    y, x = np.mgrid[-6:7, -6:7]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2))
    return normalised(kernel)


def motion_blur(image: Image, rng: Random, low: float = 3.0, high: float = 9.0) -> Image:
    """Linear camera or subject motion of low..high px in any direction."""
    length, angle = rng.uniform(low, high), rng.uniform(0, np.pi)
    reach = int(np.ceil(high / 2)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    kernel = np.clip(length / 2 + 0.5 - along, 0, 1) * np.clip(1 - across, 0, 1)
    return convolve(image, normalised(kernel))


def sensor_noise(image: Image, rng: Random, gain_max: float, sigma_max: float) -> Image:
    """Poisson noise of variance gain * level, plus Gaussian noise of sigma levels."""
    gain, sigma = rng.uniform(0, gain_max), rng.uniform(0, sigma_max)
    level = np.clip(image, 0, 255)
    if gain > 0.02:
        level = rng.poisson(level / gain).astype(np.float32) * np.float32(gain)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return level + np.float32(sigma) * noise


def sharpen(image: Image, rng: Random) -> Image:
    """Unsharp mask, as cameras apply it: amount 0.3..1.5, sigma 0.8..1.5 px."""
    amount, sigma = rng.uniform(0.3, 1.5), rng.uniform(0.8, 1.5)
    soft = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)
    return image + np.float32(amount) * (image - soft)


def jpeg(image: Image, rng: Random, low: int, high: int) -> Image:
    """JPEG compression at a quality of low..high."""
    quality = int(rng.integers(low, high + 1))
    _, data = cv2.imencode(".jpg", to_levels(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.float32)


def _player_rescale(image: Image, rng: Random) -> Image:
    """Rescaling by 0.75..1.33 and back, as in a viewer or recorder."""
    size = image.shape[0]
    other = max(8, round(size * rng.uniform(0.75, 1.33)))
    return resize(resize(image, other, cv2.INTER_LINEAR), size, cv2.INTER_LINEAR)


def clean(image: Luma8, size: int, method: str = "area") -> Luma8:
    """Sampling only: shrink by `method` and round. Validation uses 'area'."""
    return to_levels(shrink(image.astype(np.float32), size, method))


def first_order(image: Luma8, size: int, rng: Random) -> Luma8:
    """One pass through a simulated camera: the *surveillance* degradation, also in validation."""
    out = optical_blur(image.astype(np.float32), rng, 0.3, 3.0)
    if rng.random() < 0.3:
        out = motion_blur(out, rng)
    out = shrink(out, size, DOWN_METHODS[rng.integers(len(DOWN_METHODS))])
    out = sensor_noise(out, rng, 0.6, 10.0)
    if rng.random() < 0.3:
        out = sharpen(out, rng)
    if rng.random() < 0.7:
        out = jpeg(out, rng, 30, 95)
    if rng.random() < 0.2:
        out = _player_rescale(out, rng)
    return to_levels(out)


def second_order(image: Luma8, size: int, rng: Random) -> Luma8:
    """Two passes with halved ranges, for a picture that was processed, stored and captured again."""
    out = optical_blur(image.astype(np.float32), rng, 0.2, 1.5)
    middle = int(rng.integers(int(1.5 * size), image.shape[0] + 1))
    out = shrink(out, middle, DOWN_METHODS[rng.integers(len(DOWN_METHODS))])
    out = sensor_noise(out, rng, 0.3, 5.0)
    out = jpeg(out, rng, 50, 95)
    out = optical_blur(out, rng, 0.2, max(0.2, 1.5 * middle / image.shape[0]))
    if rng.random() < 0.15:
        out = motion_blur(out, rng, 2.0, 4.5)
    out = shrink(out, size, DOWN_METHODS[rng.integers(len(DOWN_METHODS))])
    out = sensor_noise(out, rng, 0.3, 5.0)
    if rng.random() < 0.7:
        out = jpeg(out, rng, 50, 95)
    return to_levels(out)
