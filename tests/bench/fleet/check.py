"""The simulation of several processes on this machine against the processes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import av
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
    turns: list[Turn]

    @property
    def real_seconds(self) -> float:
        """Of the median turn."""
        return median(turn.makespan_seconds for turn in self.turns)

    @property
    def error(self) -> float:
        """Of the prediction."""
        return self.predicted_seconds / self.real_seconds - 1


class Check(msgspec.Struct, frozen=True):
    """All of it."""

    recordings: int
    alone: list[Turn]
    """One process over the list."""
    contention: Contention
    compared: list[Compared]

    @property
    def share(self) -> float:
        """Of its core that one process got alone, as other programs ran too; those of the prediction get no more."""
        return median(turn.got for turn in self.alone)

    def speedup(self, processes: int) -> float:
        """Return how many times faster the list is done than by one process."""
        many = next(one for one in self.compared if one.processes == processes)
        return median(turn.makespan_seconds for turn in self.alone) / many.real_seconds


def check(recordings: Sequence[Path], calibration: Sequence[Path], rounds: int, seed: int) -> Check:
    """Measure one process, foretell more, and run more, by turns.

    Args:
        recordings: of the list; taken longest first, as the product hands out tasks.
        calibration: other recordings, on which contention is measured.
        rounds: turns of each.
        seed: of the draws.
    """
    listed = sorted(recordings, key=pictures_of, reverse=True)
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
    draws, share = costs_of(alone, len(listed)), median(turn.got for turn in alone)
    compared = []
    for count, turns in real.items():
        foretold = predicted_range(draws, _placed(count, cores), len(cores), contention, seed)
        compared.append(Compared(count, *(seconds / share for seconds in foretold), turns))
    return Check(len(listed), alone, contention, compared)


def pictures_of(path: Path) -> int:
    """Return how many pictures a recording has."""
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def _placed(count: int, cores: list[int]) -> list[int]:
    return [cores[number % len(cores)] for number in range(count)]
