"""One worker: takes the lease of a task, has its process do it, and puts the result in place."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

import engine
from engine.errors import FacestreamError, FatalError, WorkerError
from engine.jobs.fetched import forget_fetched
from engine.jobs.job_folder import JobFolder
from engine.jobs.lease import HeldLease
from engine.jobs.messages import Ended, Question
from engine.jobs.process import TaskProcess
from engine.jobs.task import Task

Away = Callable[[str, Question, bytes, Callable[[], object]], bytes]
STUCK_SECONDS = 180.0
_SHARE = 0.9
"""Of a machine's memory that all workers together may take."""
_LEAST_BYTES = 1 << 30


class About(msgspec.Struct, frozen=True):
    """What a worker says of itself."""

    node: str
    version: str
    pid: int
    token: str
    """What it finds: that of this job, if it sees the same."""
    problem: str = ""
    """Why it cannot work, as a sentence."""
    may_pass: bool = False
    """Whether that may be otherwise soon, as of a storage that does not answer."""


class ArchiveWorker:
    """Does tasks, one at a time. It knows no cluster: whoever calls it may be one.

    Args:
        folder: of the job.
        share: of the machine's cores that it stands for, and so of its memory.
        stuck_seconds: so long a task may make no progress.
    """

    def __init__(self, folder: JobFolder, share: float, stuck_seconds: float = STUCK_SECONDS) -> None:
        self._folder = folder
        self._process = TaskProcess(max(_LEAST_BYTES, int(_machine_bytes() * _SHARE * share)), stuck_seconds)

    def about(self) -> bytes:
        """Return an ``About``, encoded."""
        token, problem, may_pass = "", "", False
        try:
            self._folder.prepare()
            token = self._folder.token()
        except (FacestreamError, OSError) as error:
            problem, may_pass = str(error), isinstance(error, WorkerError | OSError)
        return msgspec.json.encode(About(platform.node(), engine.__version__, os.getpid(), token, problem, may_pass))

    def do(self, tasks: bytes, away: Away | None = None) -> bytes:
        """Do tasks in their order, each with a lease and a result of its own; return an ``Ended`` of each. Both are encoded.

        One that somebody else holds, or has done by now, is not done again. Behind one with which nothing can go on here the
        others are left.

        Args:
            tasks: to be done.
            away: answers a question about crops of an attempt, whose name comes first, and calls what comes last while that
                takes long; None: the process computes them itself.
        """
        ended: list[Ended] = []
        for task in msgspec.json.decode(tasks, type=list[Task]):
            ended.append(self._do(task, away))
            if ended[-1].outcome in ("lost", "fatal"):
                break
        return msgspec.json.encode(ended)

    @property
    def pid(self) -> int:
        """Of the process that does the tasks; 0: there is none now."""
        return self._process.pid

    def close(self) -> None:
        """End the process, and remove what only the job needed on this machine."""
        self._process.close()
        forget_fetched()

    def _do(self, task: Task, away: Away | None) -> Ended:
        owner = f"{task.key}-{secrets.token_hex(4)}"
        try:
            if self._folder.has(task.key):
                return Ended("done")
            lease = HeldLease(self._folder.leases / task.key, owner)
            if not lease.take():
                return Ended("held")
            try:
                return self._hold(task, lease, self._folder.new_place(owner), away)
            finally:
                shutil.rmtree(self._folder.unfinished / owner, ignore_errors=True)
                lease.release()
        except WorkerError as error:
            return Ended("lost", str(error))
        except FatalError as error:
            return Ended("fatal", str(error), error.exit_code)
        except OSError as error:
            where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
            return Ended("fatal", f"{self._folder.directory} cannot be written: {error.strerror or error}{where}")

    def _hold(self, task: Task, lease: HeldLease, place: Path, away: Away | None) -> Ended:
        done = 0.0

        def moved(seconds: float) -> bool:
            nonlocal done
            done = seconds
            return lease.renew(seconds)

        def ask(question: Question, content: bytes) -> bytes:
            assert away is not None
            return away(place.name, question, content, lambda: lease.renew(done))

        ended = self._process.do(task, place, moved, ask if away else None)
        if ended.outcome == "done":
            self._folder.keep(task.key, place)
        return ended


def _machine_bytes() -> int:
    """Return the memory of this machine, or of the container that this runs in."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total
