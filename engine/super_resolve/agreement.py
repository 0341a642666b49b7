"""Which frames of a track show the same face: a frame of another person, or one that was registered wrongly, must not be fused.

Measured on 240 simulated tracks of 12 to 32 px, clean to CRF 28, in which one frame of eight shows another person: that frame's
correlation with the others has a median of 0.45 and is below 0.82 in 95 % of the tracks; that of the right frames is above 0.86
in 99 % (0.80 at 12 px and CRF 28).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SURELY_ALIKE = 0.9
_SURELY_OTHER = 0.5
_OF_TWO = 0.8
"""Least correlation of two frames that agree, when there is no third to judge between them."""
_TIMES = 5.0
"""A frame is wrong if its correlation falls short of 1 by this many times as much as the others' does."""


def alike(correlations: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Find the frames that show the same face.

    Args:
        correlations: (N, N) of the frames' pictures with each other, 1 on the diagonal.

    Returns:
        (N,) whether a frame belongs to the largest group that agrees, and (N,) the correlation of each frame with the mean of
        the others in that group; 1 if there are no others. Of two frames that do not agree, neither is kept.
    """
    kept = np.ones(len(correlations), bool)
    while kept.sum() > 1:
        likeness = _with_the_others(correlations, kept)
        worst = int(np.where(kept, likeness, np.inf).argmin())
        if kept.sum() == 2:
            if likeness[worst] < _OF_TWO:
                kept[:] = False
            break
        rest = kept.copy()
        rest[worst] = False
        lacks = np.median(1 - _with_the_others(correlations, rest)[rest])
        lack = 1 - likeness[worst]
        if lack <= 1 - _SURELY_ALIKE or (lack <= _TIMES * lacks and lack <= 1 - _SURELY_OTHER):
            break
        kept = rest
    return kept, _with_the_others(correlations, kept)


def _with_the_others(correlations: NDArray[np.floating], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the correlation of each frame with the mean of the other kept frames."""
    likeness = np.ones(len(correlations))
    for index in range(len(correlations)):
        others = kept.copy()
        others[index] = False
        if others.any():
            energy = float(correlations[np.ix_(others, others)].mean())
            likeness[index] = correlations[index, others].mean() / np.sqrt(max(energy, 1e-9))
    return likeness
