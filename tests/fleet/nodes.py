"""Nodes with the real agent, over a real database, whose cameras are marks on a clock."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from engine.config.fleet import FleetConfig
from engine.fleet.agent import Agent
from engine.fleet.file import FleetCamera
from engine.fleet.permit import Permit, now_seconds
from engine.fleet.view import Load, fleet_view
from engine.runtime.closing import Closing
from tests.patience import until


class MarkedCameras:
    """Cameras of a service that is not there: who runs which from when to when, as a worker that looks at its permit would.

    Args:
        folder: of the agent.
    """

    def __init__(self, folder: Path) -> None:
        self._permit = folder / "permit"
        self._running: dict[str, tuple[bool, float]] = {}
        self.runs: list[tuple[str, float, float]] = []
        """Camera, from, to."""
        self.refuses: dict[str, str] = {}
        self._lock = threading.Lock()
        self._ring: Callable[[], None] = lambda: None

    def tell(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def start(self, camera: FleetCamera, *, keeps: bool) -> str:
        with self._lock:
            if fault := self.refuses.get(camera.name):
                return fault
            self._running.setdefault(camera.name, (keeps, time.monotonic()))
        return ""

    def stop(self, name: str) -> None:
        with self._lock:
            if name in self._running:
                self._end(name)

    def may_run(self, name: str) -> bool:
        with self._lock:
            return name in self._running

    def load(self) -> Load:
        self.look()
        return Load(running=True, streams=len(self._running), cores=1, cpu_share=0.01, ready=True)

    def look(self) -> None:
        """What the workers of the cameras do by themselves."""
        with self._lock, Permit(self._permit) as permit:
            for name in [name for name, (keeps, _) in self._running.items() if not keeps and not permit.is_good]:
                self._end(name, time.monotonic() + permit.until - now_seconds())

    @property
    def names(self) -> set[str]:
        """What is running."""
        self.look()
        return set(self._running)

    def _end(self, name: str, when: float = 0.0) -> None:
        self.runs.append((name, self._running.pop(name)[1], when or time.monotonic()))
        self._ring()


class Node(Closing):
    """One node."""

    def __init__(self, name: str, database: str, folder: Path, **config: object) -> None:
        self.database = database
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        self.said: list[str] = []
        self.cameras = MarkedCameras(self.folder)
        settings = {"database": database, "node": name, "listen": "tcp://127.0.0.1:*", "address": "127.0.0.1"} | config
        self.agent = Agent(FleetConfig(**settings), self.folder, self.cameras, self)  # type: ignore[arg-type]

    def warn(self, sentence: str) -> None:
        self.said.append(sentence)

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def close(self) -> None:
        for name in self.cameras.names:
            self.cameras.stop(name)
        self.agent.close()


def settled(*nodes: Node) -> tuple[Node, ...]:
    """Let all of these count at once, as if each had held its lease for as long as that is; return them.

    Each has told the database how it stands: cameras are placed on no node that has not, and stay where they are placed.
    """
    wanted = {node.agent.node for node in nodes}
    with psycopg.connect(nodes[0].database, autocommit=True) as connection:
        until(lambda: wanted <= {one.name for one in fleet_view(connection).nodes if one.load.running})
    for node in nodes:
        permission = node.agent._permission
        with permission._lock:
            assert permission._since is not None
            permission._since -= permission.timing.lease
    return nodes


def overlaps(nodes: list[Node]) -> list[tuple[str, float]]:
    """Return for how long two nodes ran the same camera, each time."""
    now = time.monotonic()
    runs = []
    for node in nodes:
        node.cameras.look()
        runs += [(camera, began, ended, node) for camera, began, ended in node.cameras.runs]
        runs += [(camera, began, now, node) for camera, (_, began) in node.cameras._running.items()]
    found = []
    for one, other in itertools.combinations(runs, 2):
        together = min(one[2], other[2]) - max(one[1], other[1])
        if one[0] == other[0] and one[3] is not other[3] and together > 0:
            found.append((one[0], together))
    return found
