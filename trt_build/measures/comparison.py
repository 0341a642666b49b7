"""Compares systems that verify faces: accuracy and TAR, with differences over the same draws of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trt_build.measures.bootstrap import Draws, Interval, interval
from trt_build.measures.verification import Distances, Pairing, SortedTrial, Trial, accuracy, seeded_folds

FMRS = (1e-2, 1e-3)
"""False match rates: of 60,000 impostor pairs 600 and 60 decide."""
DistancesOf = Callable[[Pairing], Distances]
"""A system: the distance of the two faces of each pair, (P,)."""


@dataclass(frozen=True)
class Verified:
    """One system; gains are its figures minus those of the system it is compared with."""

    tar: tuple[Interval, ...]
    """TAR for each of ``FMRS``."""
    tar_gain: tuple[Interval, ...]
    accuracy: Interval | None = None
    """Accuracy over the few pairs, if there are any."""
    accuracy_gain: Interval | None = None


class Comparison:
    """Figures of systems over one set of pairs and one set of draws.

    Args:
        draws: over the people whose faces the pairs name.
        many: pairs for TAR, with enough impostors for ``FMRS``.
        few: pairs for the accuracy (a published table), by ten folds.
        seed: of the folds.
    """

    def __init__(self, draws: Draws, many: Pairing, few: Pairing | None = None, seed: int = 0) -> None:
        self._draws, self._many, self._few = draws, many, few
        self._folds = seeded_folds(few.same, seed) if few is not None else None

    def compare(self, systems: Mapping[str, DistancesOf], base: str) -> dict[str, Verified]:
        """Return the figures of each system, gains over ``base``."""
        drawn = self._drawn(systems)
        found = {}
        for name, values in drawn.items():
            figures = [interval(row) for row in values]
            gains = [interval(row) for row in values - drawn[base]]
            accurate = (figures.pop(0), gains.pop(0)) if self._few is not None else (None, None)
            found[name] = Verified(tuple(figures), tuple(gains), *accurate)
        return found

    def _drawn(self, systems: Mapping[str, DistancesOf]) -> dict[str, NDArray[np.float64]]:
        """Return for each system (K, 1 + rounds): accuracy, if there are few pairs, and TAR at each of ``FMRS``."""
        sorted_trials = {name: SortedTrial(of(self._many), self._many.same) for name, of in systems.items()}
        trials = {}
        if self._few is not None and self._folds is not None:
            trials = {name: Trial(of(self._few), self._few.same, self._folds) for name, of in systems.items()}
        columns: dict[str, list[Sequence[float]]] = {name: [] for name in systems}
        for turn in range(len(self._draws.counts)):
            many = self._draws.of_pairs(self._many, turn)
            few = self._draws.of_pairs(self._few, turn) if self._few is not None else None
            for name, trial in sorted_trials.items():
                accurate = [accuracy(trials[name], few)] if few is not None else []
                columns[name].append([*accurate, *trial.tars(FMRS, many)])
        return {name: np.array(rows, np.float64).T for name, rows in columns.items()}
