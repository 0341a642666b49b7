"""Bootstrap over identities: faces of one person are not independent, so people are drawn with all of their faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trt_build.measures.verification import Pairing, Weights

ROUNDS = 1000
LOW, HIGH = 2.5, 97.5


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def sign(self) -> int:
        """1 or -1 if the whole interval lies above or below 0, otherwise 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Draws:
    """How often each of P people is drawn with replacement.

    All compared figures use the same draws, so that their differences are paired.
    """

    whose: NDArray[np.int64]
    """(N,) index of the person of each face, 0 to P - 1."""
    counts: Weights
    """(1 + rounds, P); the first row has everybody once, for the figure itself."""

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of the faces' values for each draw, (N,) finite -> (1 + rounds,)."""
        people = self.counts.shape[1]
        sums = np.bincount(self.whose, values, minlength=people)
        sizes = np.bincount(self.whose, minlength=people).astype(np.float64)
        return np.asarray(self.counts @ sums / (self.counts @ sizes), np.float64)

    def of_pairs(self, pairs: Pairing, turn: int) -> Weights:
        """Return the weight of each pair in row ``turn``: the draws of its person, or the product of its two people's draws."""
        draw = self.counts[turn]
        left = draw[self.whose[pairs.left]]
        return np.asarray(np.where(pairs.same, left, left * draw[self.whose[pairs.right]]), np.float64)


def draw_people(people: Sequence[str], rounds: int, seed: int) -> Draws:
    """Draw as many people as there are, ``rounds`` times.

    Args:
        people: the person of each face.
        rounds: number of draws.
        seed: of the draws.
    """
    names, whose = np.unique(list(people), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds)
    counts = np.vstack([np.ones((1, len(names))), drawn])
    return Draws(whose.astype(np.int64), counts.astype(np.float64))


def interval(values: NDArray[np.float64]) -> Interval:
    """Return the first of (1 + rounds,) values with the percentiles of the others; NaN rounds do not count."""
    drawn = values[1:][~np.isnan(values[1:])]
    if not len(drawn):
        return Interval(float(values[0]), float("nan"), float("nan"))
    low, high = np.percentile(drawn, [LOW, HIGH])
    return Interval(float(values[0]), float(low), float(high))
