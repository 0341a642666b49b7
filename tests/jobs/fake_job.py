"""A job for tests: some tasks, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.jobs.task import Task


class FakeJob:
    """See ``engine.jobs.driver.Work``.

    Args:
        tasks: with which it begins.
        following: key of a task to those that follow from it.
    """

    def __init__(self, tasks: Sequence[Task], following: dict[str, list[Task]] | None = None) -> None:
        self._tasks, self._following = list(tasks), following or {}
        self._done: set[str] = set()
        self.recordings = len({one.recording for one in tasks})
        self.failed: dict[str, str] = {}

    def first(self) -> list[Task]:
        return self._tasks

    def after(self, task: Task, result: Path) -> list[Task]:
        assert result.is_dir()
        self._done.add(task.key)
        return self._following.get(task.key, [])

    def is_done(self, recording: str) -> bool:
        known = [*self._tasks, *(one for more in self._following.values() for one in more)]
        return all(one.key in self._done for one in known if one.recording == recording)

    def unplanned(self) -> tuple[float, float]:
        return 0.0, 0.0
