"""From the mean rate over galleries to one that holds in 95 of 100: somebody who looks like an enrolled person does so in every
track.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32

RATES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
KEPT = 0.95
"""Share of the galleries in which a rate must hold."""
_PEOPLE = (1, 3, 10, 30)
"""Numbers of people in the drawn galleries. In larger ones the same few look-alikes would occur again and again."""
_DRAWS = 1000
_LEAST = 0.5
"""Least number of tracks that a rate must allow in a set, otherwise the set says nothing about that rate."""
_SEED = 20261129
OWN = -9.0
"""Marks the resemblance with the own picture, which is not a stranger's."""


def mean_rates(sizes: Sequence[Float32], rates: Sequence[float] = RATES) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates that the tracks can show, (R,), and the mean rates with which they hold in 95 of 100 galleries.

    Galleries are drawn from the pictures with replacement. For each rate the gallery size with the most clustered false names
    decides, and the geometric mean is taken over the sizes of faces, which differ only by chance.

    Args:
        sizes: for each size of faces the resemblance of strangers' tracks and pictures, (T, N), ``OWN`` with the own one.
        rates: falling. What allows less than half a track at every size is left out.
    """
    shown = [rate for rate in rates if any(len(one) * rate >= _LEAST for one in sizes)]
    asked = np.full((len(sizes), len(_PEOPLE), len(shown)), np.nan)
    rng = np.random.default_rng(_SEED)
    for at, one in enumerate(sizes):
        several = [rate for rate in shown if len(one) * rate >= _LEAST]
        values = np.sort(one[one > OWN])
        for row, people in enumerate(_PEOPLE):
            limits = limits_of(one, people, several, rng)
            above = len(values) - np.searchsorted(values, limits, side="right")
            asked[at, row, : len(several)] = np.maximum(above, 1) / len(values) * people / several
    share = np.exp(np.nanmean(np.log(asked), axis=0)).min(axis=0)
    means = np.array(shown) * np.minimum(share, 1.0)
    return np.array(shown), np.minimum.accumulate(means)


def limits_of(one: Float32, people: int, rates: Sequence[float], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the resemblance above which each rate is kept in 95 of 100 galleries of ``people`` people: (R,).

    All galleries meet the same strangers; their look-alikes are drawn with the gallery.
    """
    tracks, pictures = one.shape
    ranks = tracks - 1 - (np.array(rates) * tracks + 1e-9).astype(np.int64)  # the first track beyond the allowed number
    galleries = (rng.integers(0, pictures, people) for _ in range(_DRAWS))
    needed = [np.partition(one[:, gallery].max(axis=1), ranks)[ranks] for gallery in galleries]
    return np.asarray(np.quantile(needed, KEPT, axis=0), np.float64)
