"""Luma as in published super-resolution results."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8] | NDArray[np.float64]
"""(H, W), 0 to 255: 8-bit levels, rounded or not."""

OFFSET = 16.0
WEIGHTS = (65.481, 128.553, 24.966)
"""Coefficients of red, green and blue in 0 to 1: ITU-R BT.601 in studio range, as MATLAB's ``rgb2ycbcr``, used for SRCNN, VDSR
and EDSR.
"""


def luma_of(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the luma of a picture, 16 (black) to 235 (white), not rounded; the peak of PSNR is 255 nevertheless.

    A grey file is used unchanged, 0 to 255, as in the published scripts, which convert only pictures with three channels.

    Args:
        picture: (H, W, 3) RGB or (H, W) grey, 0 to 255.
    """
    if picture.ndim == 2:
        return picture.astype(np.float64)
    return OFFSET + picture.astype(np.float64) @ (np.array(WEIGHTS) / 255)
