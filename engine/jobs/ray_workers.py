"""The workers of a cluster: one warm actor for each core, and one more for each GPU, which several of them feed."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

import engine
from engine.jobs.head_watch import HeadWatch
from engine.jobs.job_folder import JobFolder
from engine.jobs.messages import Ended
from engine.jobs.task import Task
from engine.jobs.unfit import Unfit
from engine.jobs.worker import About

LABEL = "enhance"
"""Resource of nodes that compute crops for others: a node with two has two GPUs, or does as if."""

_ALONE_SECONDS = 60.0
_TIDY_SECONDS = 3.0
_GROW_SECONDS = 1.0
"""So often the cluster's head is asked what there is."""


@dataclass
class _Member:
    """An actor, and what is asked of it now."""

    handle: Any
    asked: Any
    """The reference of its answer; None: it is idle."""
    about: About | None = None
    is_busy: bool = False
    holder: Any = None


class RayWorkers:
    """See ``engine.jobs.driver.Workers``. An actor has one order in its hands at most, and no result travels. One that dies is
    replaced; one that is not fit is told about, and replaced after a pause, as its node may be mended meanwhile.

    Args:
        folder: of the job.
        most: of the actors; None: as many as there are cores. A cluster that can grow does where more are wanted.
        warn: takes a sentence on a node that cannot be used.
    """

    def __init__(self, folder: JobFolder, most: int | None, warn: Callable[[str], None]) -> None:
        import ray

        from engine.jobs.ray_actors import RayWorker

        self._ray: Any = ray
        self._head = HeadWatch()
        self._folder, self._most, self._warn = folder, most, warn
        self._worker = self._ray.remote(num_cpus=1, max_restarts=0)(RayWorker)
        self._members: dict[str, _Member] = {}
        self._holders: list[Any] = []
        self._nodes: dict[str, str] = {}
        self._made, self._unfit = 0, Unfit()
        self._grow_due = 0.0
        self._alone_since: float | None = None
        self._token = folder.identify()

    def __len__(self) -> int:
        return sum(one.about is not None for one in self._members.values())

    def node_of(self, worker: str) -> str:
        return self._nodes.get(worker, "")

    def idle(self, wanted: int) -> list[str]:
        if (now := time.monotonic()) >= self._grow_due:
            self._grow_due = now + _GROW_SECONDS
            with self._head.asking():
                self._grow(wanted)
        if len(self):
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > _ALONE_SECONDS and not self._unfit.pausing:
            self._alone_since = math.inf
            self._warn("no worker has started: waiting for a free core in the cluster (Ctrl-C ends this)")
        return [name for name, one in self._members.items() if one.about is not None and one.asked is None]

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        member = self._members[worker]
        member.is_busy, member.holder = True, self._least_used()
        member.asked = member.handle.do_with.remote(msgspec.json.encode(tasks), member.holder)

    def poll(self, seconds: float) -> list[tuple[str, list[Ended]]]:
        asked = {one.asked: name for name, one in self._members.items() if one.asked is not None}
        if not asked:
            time.sleep(seconds)
            return []
        with self._head.asking():
            ready, others = self._ray.wait(list(asked), num_returns=1, timeout=seconds)
            if ready and others:
                ready += self._ray.wait(others, num_returns=len(others), timeout=0.0)[0]
        ended = []
        for reference in ready:
            name = asked[reference]
            if (answer := self._answered(name, self._members[name], reference)) is not None:
                ended.append((name, answer))
        if not self._members:
            self._unfit.check()
        return ended

    def close(self) -> None:
        """Let all leave what they do, and end; those that do nothing tidy up first."""
        with suppress(Exception):
            idle = [one.handle.close.remote() for one in self._members.values() if one.about is not None and one.asked is None]
            self._ray.wait(idle, num_returns=len(idle), timeout=_TIDY_SECONDS)
        for handle in [*(member.handle for member in self._members.values()), *self._holders]:
            with suppress(Exception):
                self._ray.kill(handle)
        self._members.clear()
        self._holders.clear()

    def _answered(self, name: str, member: _Member, reference: Any) -> list[Ended] | None:
        member.asked = member.holder = None
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            del self._members[name]
            return [Ended("lost", _how_it_was_lost(error))] if member.is_busy else None
        if member.is_busy:
            member.is_busy = False
            return msgspec.json.decode(answer, type=list[Ended])
        about = msgspec.json.decode(answer, type=About)
        self._nodes[name] = about.node
        if (why := self._unfit_for(about)) is None:
            member.about = about
            self._unfit.forget(about.node)
            return None
        if said := self._unfit.note(about.node, why, may_pass=about.may_pass):
            self._warn(said)
        self._ray.kill(member.handle)
        del self._members[name]
        return None

    def _unfit_for(self, about: About) -> str | None:
        if about.problem:
            return about.problem
        if about.version != engine.__version__:
            return f"facestream {about.version} is installed there, and here {engine.__version__}: install the same everywhere"
        if about.token != self._token:
            return self._folder.unseen()
        return None

    def _grow(self, wanted: int) -> None:
        there: dict[str, float] = self._ray.cluster_resources()
        room = min(self._most or int(there.get("CPU", 0.0)), wanted) - self._unfit.pausing
        for _ in range(room - len(self._members)):
            self._made += 1
            handle = self._worker.remote(self._folder.again())
            self._members[f"worker-{self._made}"] = _Member(handle, handle.about.remote())
        devices = int(there.get(LABEL, 0.0))
        for _ in range(devices - len(self._holders)):
            self._holders.append(self._hold(on_gpu=there.get("GPU", 0.0) > 0.0))
        for handle in self._holders[devices:]:  # its node is gone: the workers compute themselves
            self._ray.kill(handle)
            self._holders.remove(handle)

    def _hold(self, *, on_gpu: bool) -> Any:
        """Start who holds the models of a device. It comes back after a death, without the segments that it knew."""
        from engine.jobs.elsewhere import Holder  # loads what opens them

        gpus = {"num_gpus": 1} if on_gpu else {}
        return self._ray.remote(num_cpus=0, resources={LABEL: 1}, max_restarts=-1, **gpus)(Holder).remote()

    def _least_used(self) -> Any:
        used = Counter(id(one.holder) for one in self._members.values() if one.is_busy)
        return min(self._holders, key=lambda one: used[id(one)], default=None)


def _how_it_was_lost(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return "Ray ended its worker for lack of memory"
    return "its node was lost" if "node has died" in str(error) else "its worker was lost"
