"""Ray, as far as a job needs it: one warm worker for each core of a cluster, or of this machine."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import engine
from engine.errors import FacestreamError, MissingRuntimeError, UsageError
from engine.jobs.messages import Ended
from engine.jobs.task import Task
from engine.jobs.worker import About, ArchiveWorker

if TYPE_CHECKING:
    import ray

LOCAL, AUTO, CLIENT = "local", "auto", "ray://"
_STORE_BYTES = 80 << 20
"""Of the object store, for which Ray takes a third of the memory otherwise: no result goes through it."""
_CONNECT_SECONDS = 30
_SILENCE = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": "(?s).*",  # what its processes print, and its own news of them, come as our sentences
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[None]:
    """Be connected to a cluster; one that was started here ends with the block.

    Args:
        address: ``local`` starts one on this machine; ``auto`` finds the one that runs here; else as for ``ray.init``.
        cores: of one that is started here; None: all.

    Raises:
        MissingRuntimeError: Ray is not installed.
        UsageError: there is no such cluster, or it does not fit to this installation.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingRuntimeError("archives need Ray, which is not installed: pip install 'facestream[ray]'")
    for name, value in _SILENCE.items():
        os.environ.setdefault(name, value)
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == LOCAL:
        options |= {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
    try:
        ray.init(address, **options)
    except Exception as error:
        raise UsageError(_refusal(address, error)) from error
    try:
        yield
    finally:
        ray.shutdown()


def _refusal(address: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "ersion mismatch" in said:
        return f"the Ray cluster {address} has other versions than this machine ({said}): install the same on both"
    if address == LOCAL:
        return f"Ray cannot be started on this machine: {said}"
    if address.startswith(CLIENT) and (isinstance(error, ImportError) or "grpc" in said.lower().split(":")[0]):
        return f"{address} needs Ray's client: pip install 'ray[client]' ({said})"
    if address == AUTO:
        return "no Ray cluster runs on this machine: start one (`ray start --head`), join one, or use --address local"
    return f"there is no Ray cluster at {address}: check the address ({said})"


@dataclass
class _Member:
    """An actor, and what is asked of it now."""

    handle: Any
    asked: Any
    """The reference of its answer; None: it is idle."""
    about: About | None = None
    is_busy: bool = False


class RayWorkers:
    """One actor for each core of the cluster, each with at most one task in its hands: nothing else is in flight.

    An actor that dies is replaced; one on a node that does not fit is not, and its node is told about.

    Args:
        directory: of the job.
        most: of the actors; None: as many as there are cores. Where more are wanted than there are, a cluster that can grow does.
        warn: takes a sentence on a node that cannot be used.
    """

    def __init__(self, directory: Path, most: int | None, warn: Any) -> None:
        import ray

        self._ray, self._directory, self._most, self._warn = ray, directory, most, warn
        # one thread does, one listens for `stop`
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_concurrency=2)(_RayWorker)
        self._members: dict[str, _Member] = {}
        self._nodes: dict[str, str] = {}
        self._made = self._unfit = 0
        self._last_unfit = ""

    def __len__(self) -> int:
        return sum(one.about is not None for one in self._members.values())

    def node_of(self, worker: str) -> str:
        return self._nodes.get(worker, "")

    def idle(self, wanted: int) -> list[str]:
        self._grow(wanted)
        return [name for name, one in self._members.items() if one.about is not None and one.asked is None]

    def give(self, worker: str, task: Task) -> None:
        member = self._members[worker]
        member.is_busy = True
        member.asked = member.handle.do.remote(msgspec.json.encode(task))

    def poll(self, seconds: float) -> list[tuple[str, Ended]]:
        asked = {one.asked: name for name, one in self._members.items() if one.asked is not None}
        if not asked:
            self._ray.wait([self._ray.put(None)], timeout=seconds)
            return []
        ready, _ = self._ray.wait(list(asked), num_returns=1, timeout=seconds)
        more, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=0.0)
        ended = []
        for reference in {*ready, *more}:
            name = asked[reference]
            if (answer := self._answered(name, self._members[name], reference)) is not None:
                ended.append((name, answer))
        if not self._members and self._unfit:
            raise UsageError(self._last_unfit)
        return ended

    def close(self) -> None:
        """Let all leave what they do, and end."""
        for member in self._members.values():
            with suppress(Exception):
                self._ray.kill(member.handle)
        self._members.clear()

    def _answered(self, name: str, member: _Member, reference: Any) -> Ended | None:
        member.asked = None
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            del self._members[name]
            return Ended("lost", _how_it_was_lost(error)) if member.is_busy else None
        if member.is_busy:
            member.is_busy = False
            return msgspec.json.decode(answer, type=Ended)
        about = msgspec.json.decode(answer, type=About)
        self._nodes[name] = about.node
        if (why := self._unfit_for(about)) is None:
            member.about = about
            return None
        self._unfit, self._last_unfit = self._unfit + 1, why
        self._warn(why)
        self._ray.kill(member.handle)
        del self._members[name]
        return None

    def _unfit_for(self, about: About) -> str | None:
        if about.version != engine.__version__:
            return f"{about.node} has facestream {about.version}, this is {engine.__version__}: install the same everywhere"
        if not about.sees_job:
            return f"{about.node} does not see {self._directory}: give --out a folder that all nodes have under the same path"
        return None

    def _grow(self, wanted: int) -> None:
        cores = int(self._ray.cluster_resources().get("CPU", 0.0))
        room = min(self._most or cores, wanted) - self._unfit
        for _ in range(room - len(self._members)):
            self._made += 1
            handle = self._actor.remote(str(self._directory))
            self._members[f"worker-{self._made}"] = _Member(handle, handle.about.remote())


class _RayWorker(ArchiveWorker):
    """The actor: a worker on a core of a node."""

    def __init__(self, directory: str) -> None:
        import ray

        vars(sys.modules["__main__"]).pop("__file__", None)  # of Ray: processes that are started here would load it, too
        here = ray.get_runtime_context().get_node_id()
        cores = [node["Resources"].get("CPU", 1.0) for node in ray.nodes() if node["NodeID"] == here]
        super().__init__(directory, 1.0 / max([1.0, *cores]))


def _how_it_was_lost(error: Exception) -> str:
    words = str(error)
    if "node" in words.lower() and "died" in words.lower() and "node has died" in words.lower():
        return "its node was lost"
    if "OutOfMemory" in type(error).__name__ or "memory" in words.lower().split("some common causes")[0]:
        return "Ray ended its worker for want of memory"
    return "its worker was lost"
