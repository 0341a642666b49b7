"""The product's placement, as the simulation of cameras uses it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.fleet.file import FleetCamera
from engine.fleet.placement import next_moves, place
from engine.fleet.room import Node
from tests.bench.fleet.load import Load

MIX = (0.4, 0.3, 0.2, 0.1)
"""Shares of the kinds of ``Measured.kinds`` among cameras: an assumption."""


def kinds_of(cameras: int, seed: int) -> NDArray[np.int64]:
    """Draw the kind of each camera."""
    return np.random.default_rng(seed).choice(len(MIX), cameras, p=MIX)


class Placer:
    """Decides as ``engine.fleet`` does.

    Args:
        load: what cameras ask for: their weights, in cores, with the faces of a mean minute of the day.
        capacity: of each node, in cores.
        nodes: how many there are.
    """

    def __init__(self, load: Load, capacity: float, nodes: int) -> None:
        self._cameras = [
            FleetCamera(uri=f"rtsp://camera-{number}.example.org/1", name=f"camera-{number}", weight=float(weight))
            for number, weight in enumerate(load.weights)
        ]
        self._capacity, self._nodes = capacity, nodes
        self.seconds: list[float] = []
        """That each decision took."""

    def moves(self, held: Collection[int], free: Collection[int], homes: Sequence[int], *, calm: bool) -> dict[int, int]:
        """Return the cameras to move now, with their new nodes.

        Args:
            held: nodes that hold their lease, as far as is known.
            free: those that are not drained.
            homes: the node of each camera, -1: none.
            calm: no camera is on its way from a node that runs.
        """
        nodes = [
            Node(_name(one), {}, self._capacity, takes=one in held and one in free, keeps=one in held and one in free)
            for one in range(self._nodes)
        ]
        now = {camera.name: _name(home) for camera, home in zip(self._cameras, homes, strict=True) if home >= 0}
        begun = time.perf_counter()
        target = place(self._cameras, nodes, now)
        moves = next_moves(now, target.nodes, [_name(one) for one in held], calm=calm)
        self.seconds.append(time.perf_counter() - begun)
        return {_number(camera): _number(node) for camera, node in moves.items()}


def _name(node: int) -> str:
    return f"node-{node}"


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
