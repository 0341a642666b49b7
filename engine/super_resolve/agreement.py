"""Which frames of a track show the same face: one of another person, or one that lies wrongly, must not be mixed in.

Measured on 240 simulated tracks of 12 to 32 px, clean to CRF 28, one frame of eight of another person: its likeness to the
others is .45 in the median and below .82 in 95 %, that of the right frames above .86 in 99 % (.80 at 12 px and CRF 28).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SURELY_ALIKE = 0.9
_SURELY_OTHER = 0.5
_OF_TWO = 0.8
"""Two frames have no third to judge between them."""
_TIMES = 5.0
"""A frame is wrong if what it lacks in likeness is so many times what the others lack among each other."""


def alike(correlations: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Tell which frames belong together.

    Args:
        correlations: (N, N) of the frames' pictures with each other, 1 on the diagonal.

    Returns:
        (N,) whether a frame belongs to the most that do, and (N,) the correlation of each with the mean of those others; a
        frame without others has 1. Of two frames that do not agree, neither does.
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
