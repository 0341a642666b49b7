"""From the mean over galleries to 95 of 100 of them: who looks like somebody enrolled does so in every track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32

RATES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
KEPT = 0.95
"""Of the galleries in which a rate shall hold."""
_PEOPLE = (1, 3, 10, 30)
"""Enrolled in the galleries that are drawn. In larger ones the same few look-alikes would come up again and again."""
_DRAWS = 1000
_LEAST = 0.5
"""Tracks that a rate must allow in a set, else nothing in it speaks of that rate."""
_SEED = 20261129
OWN = -9.0
"""Stands for the resemblance with the own picture, which is no stranger's."""


def mean_rates(sizes: Sequence[Float32], rates: Sequence[float] = RATES) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates that the tracks can show, (R,), and what each must be in the mean to hold in 95 of 100 galleries.

    Galleries are drawn from the pictures with replacement. Of each rate that share of the mean is taken which the size of
    gallery with the most clustered false names asks for, and of the sizes of faces the geometric mean: they differ by chance
    alone.

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
    """Return above which resemblance no more than each rate is named in 95 of 100 galleries of so many people: (R,).

    All galleries meet the same strangers, and whom they look like is drawn with the gallery.
    """
    tracks, pictures = one.shape
    ranks = tracks - 1 - (np.array(rates) * tracks + 1e-9).astype(np.int64)  # the first track that would be too many
    galleries = (rng.integers(0, pictures, people) for _ in range(_DRAWS))
    needed = [np.partition(one[:, gallery].max(axis=1), ranks)[ranks] for gallery in galleries]
    return np.asarray(np.quantile(needed, KEPT, axis=0), np.float64)
