"""The simulation of several processes on this machine against the processes themselves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from tests.bench.fleet.predict import Contention, predicted_range
from tests.bench.fleet.real import Turn, cores_here, costs_of, play

COUNTS = (2, 4)


class Compared(msgspec.Struct, frozen=True):
    """One number of processes: what was foretold, and what was."""

    processes: int
    predicted_seconds: float
    low_seconds: float
    high_seconds: float
    """5 and 95 of 100 simulations lie below these."""
    real_seconds: list[float]
    """Of each turn."""
    got: list[float]
    """Share of its cores that each turn got: other programs took the rest, which nobody foretells."""

    @property
    def error(self) -> float:
        """Of the prediction, against the median of the turns."""
        return self.predicted_seconds / median(self.real_seconds) - 1

    @property
    def error_undisturbed(self) -> float:
        """The same, against the seconds that the cores were the processes' own."""
        return self.predicted_seconds / median(one * share for one, share in zip(self.real_seconds, self.got, strict=True)) - 1


class Check(msgspec.Struct, frozen=True):
    """All of it."""

    recordings: int
    alone_seconds: list[float]
    """CPU of one process over the list, each turn."""
    contention: Contention
    compared: list[Compared]

    @property
    def speedup(self) -> float:
        """Of two processes against one, by the seconds that the cores were theirs."""
        two = next(one for one in self.compared if one.processes == 2)
        return median(self.alone_seconds) / median(one * share for one, share in zip(two.real_seconds, two.got, strict=True))


def check(recordings: Sequence[Path], calibration: Sequence[Path], rounds: int, seed: int) -> Check:
    """Measure one process, foretell more, and run more, by turns.

    Args:
        recordings: of the list; drawn in another order for nobody: all turns take them in this one.
        calibration: other recordings, on which contention is measured.
        rounds: turns of each.
        seed: of the order and the draws.
    """
    listed = list(recordings)
    random.Random(seed).shuffle(listed)
    cores, warm_up = cores_here()[:2], calibration[0]
    alone, real = list[Turn](), {count: list[Turn]() for count in COUNTS}
    beside, sharing, single = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        alone.append(play(listed, cores[-1:], warm_up))
        single.append(play(calibration, cores[-1:], warm_up).cpu_seconds)
        beside.append(play([*calibration, *calibration], cores, warm_up).cpu_seconds / 2)
        sharing.append(play([*calibration] * 4, cores * 2, warm_up).cpu_seconds / 4)
        for count in COUNTS:
            real[count].append(play(listed, _placed(count, cores), warm_up))
    contention = Contention(median(beside) / median(single), median(sharing) / median(beside))
    draws = costs_of(alone, len(listed))
    compared = []
    for count, turns in real.items():
        foretold = predicted_range(draws, _placed(count, cores), len(cores), contention, seed)
        compared.append(Compared(count, *foretold, [turn.makespan_seconds for turn in turns], [turn.got for turn in turns]))
    return Check(len(listed), [turn.cpu_seconds for turn in alone], contention, compared)


def _placed(count: int, cores: list[int]) -> list[int]:
    return [cores[number % len(cores)] for number in range(count)]
