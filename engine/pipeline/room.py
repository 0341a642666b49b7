"""How many workers a run has, and whether this system has room for them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from engine.config import Config
from engine.contracts.camera import Camera
from engine.pipeline.plan import downstream_first, plan_of
from engine.runtime.cores import usable_cores
from engine.runtime.descriptors import open_descriptors, require_descriptors
from engine.runtime.worker import DESCRIPTORS
from engine.words.numbers import count

_MOST_ENHANCE_WORKERS = 4
_OF_A_CHILD, _OF_A_PIPE = 24, 3
"""Descriptors in a worker: what it opens by itself; and a neighbour's pipe, its frame pool, and the pipe of a successor."""
_SPARE = 12
"""What is open for a moment, as while a process starts."""
_OF_A_SERVICE = 64
"""What a service has open without its workers."""


def require_room(config: Config, cameras: int) -> None:
    """Check that a service may have so many cameras.

    Raises:
        FatalError: the system allows fewer open files than so many workers need.
    """
    names = (f"c{number}" for number in range(cameras))
    plan = plan_of([Camera(name, "", "") for name in names], 0, enhancers_of(config), devices_of(config))
    members = downstream_first(plan.members.values())
    starts = [[pipe for pipe in plan.pipes if member.name in pipe] for member in members]
    require_descriptors(descriptors_needed(starts, _OF_A_SERVICE), count(cameras, "camera"))


def descriptors_needed(starts: Sequence[Sequence[Hashable]], here: int | None = None) -> int:
    """Return how many descriptors the process that needs most has open at once: this one, or one that it starts.

    Args:
        starts: of each worker, in the order of their starts, the pipes that lead to its neighbours.
        here: what this process has open without them; None: what it has open now.
    """
    here = peak = open_descriptors() if here is None else here
    seen: set[Hashable] = set()
    for pipes in starts:
        here += 2 * len(set(pipes) - seen)
        seen |= set(pipes)
        peak = max(peak, here + DESCRIPTORS)
        here += DESCRIPTORS - len(pipes)
    return max(peak, _OF_A_CHILD + _OF_A_PIPE * max(map(len, starts))) + _SPARE


def devices_of(config: Config) -> list[str]:
    """Return the devices that a process of their own computes on."""
    return sorted({part.device for part in (config.detect, config.super_resolve, config.verify)} - {"cpu"})


def enhancers_of(config: Config) -> int:
    """Return how many processes enhance and verify."""
    return config.super_resolve.workers or min(usable_cores(), _MOST_ENHANCE_WORKERS)
