"""How many files the processes of a run have open at once, before the first of them starts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from engine.runtime.descriptors import open_descriptors
from engine.runtime.worker import DESCRIPTORS

_OF_A_CHILD, _OF_A_PIPE = 24, 3
"""Descriptors in a worker: what it opens by itself; and a neighbour's pipe, its frame pool, and the pipe of a successor."""
_SPARE = 12
"""What is open for a moment, as while a process starts."""


def descriptors_needed(starts: Sequence[Sequence[Hashable]]) -> int:
    """Return how many descriptors the process that needs most has open at once: this one, or one that it starts.

    Args:
        starts: of each worker, in the order of their starts, the pipes that lead to its neighbours.
    """
    here = peak = open_descriptors()
    seen: set[Hashable] = set()
    for pipes in starts:
        here += 2 * len(set(pipes) - seen)
        seen |= set(pipes)
        peak = max(peak, here + DESCRIPTORS)
        here += DESCRIPTORS - len(pipes)
    return max(peak, _OF_A_CHILD + _OF_A_PIPE * max(map(len, starts))) + _SPARE
