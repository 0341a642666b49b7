"""Bootstrap over identities: faces of one person are not independent, so people are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]

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


def identity_draws(identities: Sequence[str], rounds: int, seed: int) -> list[dict[str, int]]:
    """How often each person is drawn, for each round of a bootstrap with replacement."""
    people = sorted(set(identities))
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), size=rounds)
    return [dict(zip(people, counts.tolist(), strict=True)) for counts in draws]


def interval(figure: Callable[[Weights], float], weights: Sequence[Weights], count: int) -> Interval:
    """`figure` with all weights 1 (over `count` items), and its percentiles over the rounds."""
    values = [figure(w) for w in weights]
    low, high = np.nanpercentile(values, [LOW, HIGH])
    return Interval(figure(np.ones(count)), float(low), float(high))


def face_weights(identities: Sequence[str], rounds: int, seed: int) -> list[Weights]:
    """Weight of each face by how often its person was drawn."""
    draws = identity_draws(identities, rounds, seed)
    return [np.array([draw[i] for i in identities], dtype=np.float64) for draw in draws]


def pair_weights(left: Sequence[str], right: Sequence[str], rounds: int, seed: int) -> list[Weights]:
    """Weight of each pair: of one person its draws, of two people the product of theirs."""
    draws = identity_draws([*left, *right], rounds, seed)
    weights = []
    for draw in draws:
        pairs = zip(left, right, strict=True)
        weights.append(np.array([draw[a] if a == b else draw[a] * draw[b] for a, b in pairs], dtype=np.float64))
    return weights


def weighted_mean(values: Weights) -> Callable[[Weights], float]:
    """The mean of `values` as a figure of the weights."""
    return lambda weights: float(np.average(values, weights=weights))
