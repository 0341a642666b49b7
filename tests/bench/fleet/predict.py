"""How long processes that share cores need for a list of recordings, simulated from what each costs one process alone."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


class Contention(msgspec.Struct, frozen=True):
    """How much more CPU time the same recording costs, measured on recordings that are not predicted."""

    beside: float
    """Where every other core works, too: shared caches and memory."""
    sharing: float
    """Where, besides, two processes take turns on each core: caches that the other has filled."""


@dataclass
class _Process:
    core: int
    left: float
    """Core seconds alone."""


def predict(costs: Sequence[float], placed: Sequence[int], cores: int, contention: Contention) -> float:
    """Return the seconds until a list is done.

    Args:
        costs: core seconds of each recording, in the order in which they are taken.
        placed: the core of each process; each takes the next recording when it has done one.
        cores: that there are.
        contention: what doing it together costs.
    """
    waiting, now = list(reversed(costs)), 0.0
    running = [_Process(core, waiting.pop()) for core in placed if waiting]
    while running:
        on = {core: sum(one.core == core for one in running) for core in {one.core for one in running}}
        crowded = 1.0 + (contention.beside - 1.0) * (len(on) - 1) / max(1, cores - 1)
        speeds = [1 / on[one.core] / crowded / (1.0 if on[one.core] == 1 else contention.sharing) for one in running]
        step = min(one.left / speed for one, speed in zip(running, speeds, strict=True))
        now += step
        for one, speed in zip(running, speeds, strict=True):
            one.left -= step * speed
        for one in [one for one in running if one.left <= 1e-9]:
            if waiting:
                one.left = waiting.pop()
            else:
                running.remove(one)
    return now


def predicted_range(
    draws: Sequence[Sequence[float]], placed: Sequence[int], cores: int, contention: Contention, seed: int
) -> tuple[float, float, float]:
    """Return the median, and what lies below in 5 and 95 of 100 simulations.

    Args:
        draws: of each recording what it cost one process alone, each time that it was measured; one is drawn each time.
        placed: see ``predict``.
        cores: that there are.
        contention: see ``predict``.
        seed: of the draws.
    """
    chance = random.Random(seed)
    spans = sorted(predict([chance.choice(list(each)) for each in draws], placed, cores, contention) for _ in range(200))
    return statistics.median(spans), spans[10], spans[189]
