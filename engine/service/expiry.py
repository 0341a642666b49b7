"""What finished runs of the service have kept goes when it is too old, or when all runs together keep too much.

A run that goes on sees to its own; over all runs the same limits hold: a change of settings begins a new run, and there may be
many.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.archive.reader import recorded
from engine.config import OutputConfig
from engine.privacy import Policy
from engine.service.refusal import Refusal
from engine.service.run_expiry import sizes_of
from engine.service.task_messages import ExpiredRun, ExpireTask
from engine.service.tasks import Tasks

_HOUR_SECONDS, _DAY_NS = 3600.0, 86_400 * 10**9
_LIMIT_SECONDS = 300.0
"""For one run."""
_RESTS = 20
"""After a look at a run, or at all, it rests for so many times as long as the look took, and for an hour at least."""
_SUM_SECONDS = 60.0
"""Where gigabytes are bound: the present run grows, and each look measures that one alone."""


class Says(Protocol):
    """Where it says what happens."""

    def warn(self, sentence: str) -> None:
        """Say what should not be."""

    def say(self, sentence: str) -> None:
        """Say what is good to know."""


class Limits(NamedTuple):
    """How much, and for how long, all runs together keep."""

    policy: Policy
    pictures_bytes: int
    records_bytes: int
    """Of lines and vectors; 0: any, as above."""

    @property
    def bounds_bytes(self) -> bool:
        return self.pictures_bytes > 0 or self.records_bytes > 0

    @property
    def keep_all(self) -> bool:
        return self.policy.keeps_all and not self.bounds_bytes


@dataclass
class _Known:
    """What is remembered of a run."""

    next_look: float = 0.0
    """Monotonic seconds."""
    size: tuple[int, int] | None = None
    """Of pictures and records, in bytes; None: not known."""


class RunExpiry:
    """Looks at the begin and once an hour, where gigabytes are bound once a minute; one child for each run, so that no number
    of runs takes too long.

    Args:
        runs: folder of the runs' output directories.
        output: says how long what is kept, asked anew each time.
        tasks: does it in children.
        says: is told what went.
    """

    def __init__(self, runs: Path, output: Callable[[], OutputConfig], tasks: Tasks, says: Says) -> None:
        self._runs, self._output, self._tasks, self._says = runs, output, tasks, says
        self._next = 0.0
        self._working: threading.Thread | None = None
        self._known: dict[str, _Known] = {}
        self._limits: Limits | None = None

    def check(self) -> None:
        """Begin to delete, if it is time; does not wait."""
        if time.monotonic() < self._next or (self._working is not None and self._working.is_alive()):
            return
        limits = limits_of(self._output())
        self._next = time.monotonic() + (_SUM_SECONDS if limits.bounds_bytes else _HOUR_SECONDS)
        if not limits.keep_all and self._runs.is_dir():
            self._working = threading.Thread(target=self.expire, args=(limits,), name="expiry", daemon=True)
            self._working.start()

    def expire(self, limits: Limits) -> None:
        """Delete, and say what went: first what is too old, the oldest runs first, then what is too much."""
        names = sorted(path.name for path in self._runs.iterdir() if path.is_dir() and not path.is_symlink())
        known = {} if limits != self._limits else self._known
        self._known, self._limits = {name: known.get(name, _Known()) for name in names}, limits
        before = time.monotonic()
        went = 0
        try:
            if not limits.policy.keeps_all:
                went += sum(self._too_old(name, limits.policy) for name in names)
            if limits.bounds_bytes:
                went += self._too_much(names, limits)
        except Refusal as refusal:
            if refusal.problem.code != "stopping":
                self._says.warn(f"old records of finished runs could not be deleted; trying again in an hour: {refusal}")
        seconds = time.monotonic() - before
        self._next = max(self._next, time.monotonic() + _RESTS * seconds)
        if went:
            self._says.say(f"{went / 1e6:.1f} MB of finished runs, too old or too much, were deleted in {seconds:.0f} s")

    def _too_old(self, name: str, policy: Policy) -> int:
        known, run, now_ns = self._known[name], self._runs / name, time.time_ns()
        if time.monotonic() < known.next_look:
            return 0
        days = [one for one in (policy.pictures_days, policy.records_days) if one]
        facts = recorded(run)
        began, ended = facts.get("started_ns"), facts.get("ended_ns")
        if isinstance(began, int) and 0 <= now_ns - began <= min(days) * _DAY_NS:
            return 0  # its first line is not old enough
        went = self._do(name, ExpireTask(run=str(run), policy=policy, sign=self._output().sign))
        if not policy.records_days and isinstance(ended, int) and now_ns - ended > (max(days) + 1.0) * _DAY_NS:
            known.next_look = math.inf  # what is to go has gone
        return went

    def _too_much(self, names: list[str], limits: Limits) -> int:
        """Let the newest keep what there is room for, and older ones the rest."""
        went, pictures, records = 0, limits.pictures_bytes, limits.records_bytes
        for name in reversed(names):
            known = self._known[name]
            is_newest = name == names[-1]  # it may go on
            size = known.size
            if size is None or is_newest:
                size = known.size = sizes_of(self._runs / name)
            too_many_pictures = limits.pictures_bytes > 0 and size[0] > pictures
            too_many_records = limits.records_bytes > 0 and size[1] > records
            if not is_newest and (too_many_pictures or too_many_records):
                task = ExpireTask(
                    run=str(self._runs / name),
                    most_pictures_bytes=pictures if too_many_pictures else None,
                    most_records_bytes=records if too_many_records else None,
                    sign=self._output().sign,
                )
                went += self._do(name, task)
                size = known.size = sizes_of(self._runs / name)
            pictures, records = max(0, pictures - size[0]), max(0, records - size[1])
        return went

    def _do(self, name: str, task: ExpireTask) -> int:
        """Let a child do it; return how many bytes went."""
        known, began = self._known[name], time.monotonic()
        try:
            gone = self._tasks.run(task, ExpiredRun, _LIMIT_SECONDS)
        except Refusal as refusal:
            if refusal.problem.code in ("busy", "stopping"):
                raise
            self._says.warn(f"not everything too old could be deleted from {self._runs / name}: {refusal}")
            gone = ExpiredRun()
        for fault in gone.faults:
            self._says.warn(f"not everything too old could be deleted: {fault}")
        now, known.size = time.monotonic(), None
        known.next_look = now + max(_HOUR_SECONDS * 0.9, _RESTS * (now - began))
        return gone.bytes


def limits_of(output: OutputConfig) -> Limits:
    """Return what finished runs keep: as long, and together as much, as one that goes on."""
    policy = Policy(pictures_days=output.keep_pictures_days, records_days=output.keep_records_days)
    return Limits(policy, int(output.keep_pictures_gb * 1e9), int(output.keep_records_gb * 1e9))
