"""High-frequency false detail: what a result shows beyond the input's Nyquist frequency and the truth does not.

A picture of h x w pixels can say nothing about frequencies above its own Nyquist frequency: whatever an enlargement holds there
is drawn, rightly or wrongly. The idea is "high-frequency energy of SR absent from HR"; this definition is ours:

    band(x)   x without its lowest h x w coefficients of the DCT-II, which is a mirrored Fourier transform: k >= H / scale
    false     the distance of each pixel of band(result) from the span between 0 and band(truth), at the same pixel
    rate      sum of false^2 / sum of band(truth)^2

So detail that is only missing, or too weak, is not false: equal pictures and pictures without any band have 0. Detail beyond
the truth's strength, of the wrong sign or in another place counts with its energy; the truth's band twice as strong has 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from trt_build.measures.luma import Luma

Band = NDArray[np.float64]
"""(..., H, W), signed, in 8-bit levels."""


def band(images: Luma, scale: int) -> Band:
    """Return what lies above the Nyquist frequency of pictures ``scale`` times smaller, (..., H, W)."""
    pixels = images.astype(np.float64)
    height, width = pixels.shape[-2:]
    return pixels - _low_pass(height, scale) @ pixels @ _low_pass(width, scale)


def energies(result: Band, truth: Band) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean square of false detail and of the truth's detail for each picture, (...,) squared levels."""
    false = result - np.clip(result, np.minimum(truth, 0), np.maximum(truth, 0))
    return np.mean(false**2, axis=(-2, -1)), np.mean(truth**2, axis=(-2, -1))


@lru_cache(maxsize=64)
def _low_pass(length: int, scale: int) -> NDArray[np.float64]:
    """Return the symmetric (length, length) projection onto the lowest coefficients of an orthonormal DCT-II."""
    kept = -(-length // scale)
    waves, places = np.arange(kept)[:, None], np.arange(length)[None]
    basis = np.cos(np.pi * waves * (2 * places + 1) / (2 * length)) * np.sqrt(2 / length)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis.T @ basis, np.float64)
