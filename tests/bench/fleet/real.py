"""Real processes over real recordings, pinned to cores: what the simulation of the same is compared with."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Empty
from typing import Any

import msgspec

from tests.bench.fleet.chain import Chain, default_config

_LONGEST_SECONDS = 600.0


class Item(msgspec.Struct, frozen=True):
    """One recording that a process has done."""

    process: int
    number: int
    """Of the recording in the list."""
    begun_seconds: float
    """Since all were told to go."""
    ended_seconds: float
    cpu_seconds: float


class Turn(msgspec.Struct, frozen=True):
    """So many processes, one list."""

    placed: list[int]
    """The core of each process."""
    items: list[Item]

    @property
    def makespan_seconds(self) -> float:
        """From the word to go until the last recording is done."""
        return max(item.ended_seconds for item in self.items)

    @property
    def cpu_seconds(self) -> float:
        """Of all processes together."""
        return sum(item.cpu_seconds for item in self.items)

    @property
    def got(self) -> float:
        """Share of their cores that the processes got while there was work on each; what is missing other programs took."""
        ends = dict.fromkeys(self.placed, 0.0)
        for item in self.items:
            ends[self.placed[item.process]] = max(ends[self.placed[item.process]], item.ended_seconds)
        return self.cpu_seconds / sum(ends.values())


def costs_of(turns: Sequence[Turn], recordings: int) -> list[list[float]]:
    """Return of each recording the CPU seconds that it took in each turn."""
    return [
        [item.cpu_seconds for turn in turns for item in turn.items if item.number == number] for number in range(recordings)
    ]


def cores_here() -> list[int]:
    """Return the cores that may be used."""
    return sorted(os.sched_getaffinity(0))


def play(recordings: Sequence[Path], placed: Sequence[int], warm_up: Path) -> Turn:
    """Let processes share a list: each takes the next recording when it has done one, as workers do.

    Args:
        recordings: in the order in which they are taken.
        placed: the core of each process.
        warm_up: a recording that each does before the word to go.
    """
    context = multiprocessing.get_context("spawn")
    next_one, ready, said = context.Value("i", 0), context.Barrier(len(placed) + 1), context.Queue()
    processes = [
        context.Process(target=_work, args=(number, core, list(recordings), warm_up, next_one, ready, said), daemon=True)
        for number, core in enumerate(placed)
    ]
    for process in processes:
        process.start()
    try:
        ready.wait(_LONGEST_SECONDS)
        go = time.monotonic()
        items = []
        while len(items) < len(recordings):
            number, index, begun, ended, cpu = _next(said, processes)
            items.append(Item(number, index, begun - go, ended - go, cpu))
    finally:
        for process in processes:
            process.join(10.0)
            process.kill()
            process.join()
    return Turn(list(placed), items)


def _next(said: Any, processes: Sequence[Any]) -> tuple[int, int, float, float, float]:
    for _ in range(round(_LONGEST_SECONDS)):
        try:
            return said.get(timeout=1.0)
        except Empty:
            if any(process.exitcode for process in processes):
                raise RuntimeError("a process of the bench has died; its error stands above") from None
    raise RuntimeError("the processes of the bench have not ended in time")


def _work(
    number: int, core: int, recordings: list[Path], warm_up: Path, next_one: Synchronized[int], ready: Barrier, said: Any
) -> None:
    os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as folder, closing(Chain(default_config(Path(folder)), live=False)) as chain:
        chain.run(warm_up)
        ready.wait(_LONGEST_SECONDS)
        while True:
            with next_one.get_lock():
                index, next_one.value = next_one.value, next_one.value + 1
            if index >= len(recordings):
                return
            begun, cpu = time.monotonic(), time.process_time()
            chain.run(recordings[index])
            said.put((number, index, begun, time.monotonic(), time.process_time() - cpu))
