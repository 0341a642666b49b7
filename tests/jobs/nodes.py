"""A Ray cluster of several nodes on this machine, each with processes of its own, that can be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TASK, WORKER = "fs-archive", "ray::RayWorker"
_STORE_BYTES = 80 << 20


class Nodes:
    """Starts with a head, which does nothing else, and nodes of one core.

    Args:
        number: of the nodes.
        resources: that each has besides.
    """

    def __init__(self, number: int = 2, resources: dict[str, float] | None = None) -> None:
        from ray.cluster_utils import Cluster

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._with = {"num_cpus": 1, "object_store_memory": _STORE_BYTES, "resources": resources or {}}
        head = {"num_cpus": 0, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes = [self._cluster.add_node(**self._with) for _ in range(number)]
        self.address: str = self._cluster.address

    def kill_node(self, number: int) -> None:
        """Kill a node with everything on it, and let another one join."""
        self._cluster.remove_node(self._nodes.pop(number), allow_graceful=False)
        self._nodes.append(self._cluster.add_node(**self._with))

    def __len__(self) -> int:
        return len(self._nodes)

    def close(self) -> None:
        """End all of them."""
        self._cluster.shutdown()

    def pids(self, name: str) -> list[int]:
        """Return the processes of this cluster that are called so: ``TASK`` or ``WORKER``."""
        raylets = {process.process.pid for node in self._nodes for process in _processes(node, "raylet")}
        return [pid for pid in _named(name) if raylets & set(ancestors(pid))]


@contextmanager
def nodes(number: int = 2, resources: dict[str, float] | None = None) -> Iterator[Nodes]:
    """Have a cluster for the block."""
    cluster = Nodes(number, resources)
    try:
        yield cluster
    finally:
        cluster.close()


def kill(pid: int) -> bool:
    """Kill a process; return whether it was there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _processes(node: Any, kind: str) -> list[Any]:
    return list(node.all_processes.get(kind, []))


def _named(name: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "comm").read_text().strip() == name[:15]:
                found.append(int(path.name))
    return found


def ancestors(pid: int) -> Iterator[int]:
    """Yield the processes above one, the nearest first."""
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            return
        yield pid
