"""What finished runs of the service have kept goes when it is too old; a run that goes on sees to it itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.config import OutputConfig
from engine.privacy import Policy
from engine.service.refusal import Refusal
from engine.service.task_messages import ExpiredRuns, ExpireTask
from engine.service.tasks import Tasks

_HOUR_SECONDS = 3600.0
_LIMIT_SECONDS = 120.0


class Says(Protocol):
    """Where it says what happens."""

    def warn(self, sentence: str) -> None:
        """Say what should not be."""

    def say(self, sentence: str) -> None:
        """Say what is good to know."""


class RunExpiry:
    """Looks once an hour, and at the begin.

    Args:
        runs: folder of the runs' output directories.
        output: says how long what is kept, asked anew each time.
        tasks: does it in a child.
        says: is told what went.
    """

    def __init__(self, runs: Path, output: Callable[[], OutputConfig], tasks: Tasks, says: Says) -> None:
        self._runs, self._output, self._tasks, self._says = runs, output, tasks, says
        self._next = 0.0
        self._working: threading.Thread | None = None

    def check(self) -> None:
        """Begin to delete, if it is time; does not wait."""
        if time.monotonic() < self._next or (self._working is not None and self._working.is_alive()):
            return
        self._next = time.monotonic() + _HOUR_SECONDS
        policy = policy_of(self._output())
        if not policy.keeps_all and self._runs.is_dir():
            self._working = threading.Thread(target=self.expire, args=(policy,), name="expiry", daemon=True)
            self._working.start()

    def expire(self, policy: Policy) -> None:
        """Delete, and say what went."""
        try:
            gone = self._tasks.run(ExpireTask(runs=str(self._runs), policy=policy), ExpiredRuns, _LIMIT_SECONDS)
        except Refusal as refusal:
            self._says.warn(f"old records of finished runs are still there, and are looked at again in an hour: {refusal}")
            return
        if gone.runs:
            self._says.say(f"{gone.bytes / 1e6:.1f} MB of {gone.runs} finished runs were too old and are deleted")
        for fault in gone.faults:
            self._says.warn(f"not all that is too old could be deleted: {fault}")


def policy_of(output: OutputConfig) -> Policy:
    """Return how long finished runs are kept: as long as a run keeps them that goes on."""
    return Policy(pictures_days=output.keep_pictures_days, records_days=output.keep_records_days)
