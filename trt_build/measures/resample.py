"""Bicubic resampling with Keys' kernel and a = -0.5, antialiased when shrinking, as MATLAB's ``imresize``, with which
benchmarks are made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NAME = "bicubic (a=-0.5)"


def cubic(image: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Resize with Pillow in floating point; equal to ``imresize`` except at the border, where that mirrors and Pillow crops.

    Args:
        image: (H, W), any range.
        size: (height, width) of the result, which is not rounded and can overshoot.
    """
    height, width = size
    resized = Image.fromarray(image.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized, np.float64)


def to_levels(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Round and clamp to 0 to 255."""
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)


def enlarge_cubic(images: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Enlarge uint8 (N, h, w) to (N, scale*h, scale*w)."""
    _, height, width = images.shape
    size = (height * scale, width * scale)
    return np.stack([to_levels(cubic(image.astype(np.float64), size)) for image in images])
