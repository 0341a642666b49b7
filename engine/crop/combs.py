"""Combs: lines of two moments in one picture, where a recording is interlaced and does not say so.

Second differences over one line are set against those over two lines, for the rows and for the columns of a face. A whole
face has 0.3 to 0.7 for both, a noisy one up to 0.9 for both; combs raise the one of the rows alone: to 0.85 to 1.6 where the
face moved by 2 pixels between the fields, to 2 and more where it moved faster (400 faces of LFW of 16 to 64 px, with noise
of 0, 4 and 10 grey levels: of the whole ones 3 in 10,000 are above 0.2, of those combed by 4 pixels 9 in 10 above 0.5).
"""

from __future__ import annotations

import numpy as np

from engine.contracts.frames import Float32, Uint8

_LEAST_RATIO, _SURE_RATIO = 0.8, 1.2
"""Of the rows."""
_LEAST_EXCESS, _SURE_EXCESS = 1.35, 2.0
"""Of the rows over the columns: noise raises both."""
_SMALLEST_PX = 8


def combed(face: Uint8) -> float:
    """Return how sure it is that a face is combed, 0 (not at all) to 1.

    Args:
        face: luma, (height, width), as stored: not scaled in height.
    """
    if min(face.shape) < _SMALLEST_PX:
        return 0.0
    luma = face.astype(np.float32)
    rows, columns = _ratio(luma), _ratio(luma.T)
    by_ratio = (rows - _LEAST_RATIO) / (_SURE_RATIO - _LEAST_RATIO)
    by_excess = (rows / max(columns, 1e-3) - _LEAST_EXCESS) / (_SURE_EXCESS - _LEAST_EXCESS)
    return float(np.clip(min(by_ratio, by_excess), 0.0, 1.0))


def _ratio(luma: Float32) -> float:
    near = np.abs(luma[1:-3] - 2 * luma[2:-2] + luma[3:-1]).mean()
    far = np.abs(luma[:-4] - 2 * luma[2:-2] + luma[4:]).mean()
    return float(near / (far + 1.0))
