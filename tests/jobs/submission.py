"""``facestream archive submit`` in a process of its own, on a cluster whose parts are killed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from engine.jobs.lease import read_lease
from tests.jobs.nodes import TASK, WORKER, Nodes, ancestors, kill
from tests.patience import until
from tests.processes import bound

Kind = Literal["task", "worker", "node", "driver"]
KINDS: tuple[Kind, ...] = ("task", "worker", "node", "driver")


class Submission:
    """The command; it is started again where it was killed.

    Args:
        sources: of the archive.
        out: of the job.
        address: of the cluster.
        more: further options.
        seen_at: says where on this machine the job is; by default it is ``out``.
    """

    def __init__(
        self, sources: Sequence[str], out: Path | str, address: str, *more: str, seen_at: Callable[[], Path] | None = None
    ) -> None:
        command = ["-m", "engine", "archive", "submit", *sources, "--out", str(out), "--address", address, "-q", *more]
        self._command = [sys.executable, *command]
        self._seen_at = seen_at or (lambda: Path(out))
        self.said_by_the_killed: list[str] = []
        self.said = ""
        """By the last one."""
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(bound(self._command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    @property
    def begun(self) -> set[str]:
        """Tasks that somebody is at work on."""
        folder = self._seen_at() / "job" / "leases"
        return {path.name for path in folder.iterdir() if not path.name.startswith(".")} if folder.is_dir() else set()

    @property
    def first_attempts(self) -> set[int]:
        """Workers that are at work on a task which no process has died of yet: two deaths would set it aside."""
        died = {path.stem for path in (self._seen_at() / "job" / "attempts").glob("*.json")}
        leases = (read_lease(self._seen_at() / "job" / "leases" / key) for key in self.begun - died)
        return {lease.pid for lease in leases if lease is not None}

    @property
    def results(self) -> int:
        """Tasks that are done."""
        folder = self._seen_at() / "job" / "results"
        return len(list(folder.iterdir())) if folder.is_dir() else 0

    def kill(self) -> None:
        """Kill it, and give the command again."""
        self._process.kill()
        self.said_by_the_killed.append(self._process.communicate()[0])
        self._process = self._start()

    def wait(self, seconds: float) -> int:
        """Wait for its end; return its exit code."""
        try:
            self.said = self._process.communicate(timeout=seconds)[0]
        finally:
            self._process.kill()
        return self._process.wait()


def kill_one(kind: Kind, cluster: Nodes, submission: Submission, chance: random.Random) -> bool:
    """Kill one, as soon as there is one; return False where the job was over before."""
    if kind in ("task", "worker"):

        def victims() -> list[int]:
            if kind == "worker":
                return cluster.pids(WORKER)
            workers = submission.first_attempts
            return [pid for pid in cluster.pids(TASK) if workers & set(ancestors(pid))]

        def killed_one() -> bool:
            found = victims()
            return any(map(kill, chance.sample(found, len(found))))  # the first that is still there

        return until(lambda: "killed" if killed_one() else submission.is_over and "over") == "killed"
    if submission.is_over:
        return False
    if kind == "node":
        cluster.kill_node(chance.randrange(len(cluster)))
    else:
        submission.kill()
    return True
