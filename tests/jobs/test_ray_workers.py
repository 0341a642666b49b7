"""Which workers of a cluster are used: those that are fit, and those that were not once they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import engine
from engine.errors import UsageError
from engine.jobs.job_folder import JobFolder
from engine.jobs.unfit import Unfit
from engine.jobs.worker import About

pytest.importorskip("ray")

AWAY = "the storage does not answer"


class Reference:
    """Of an answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer


class FakeActor:
    """Says of itself what it is told to."""

    def __init__(self, about: About) -> None:
        self.about, self._about = self, about

    def remote(self, *arguments: object) -> Any:
        return Reference(msgspec.json.encode(self._about))


class FakeRay:
    """A cluster of two cores whose actors answer at once.

    Args:
        says: what the next actor says of itself.
    """

    def __init__(self, says: Iterator[About]) -> None:
        self._says, self.killed = says, 0

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def remote(self, *arguments: object) -> FakeActor:
        return FakeActor(next(self._says))

    def wait(self, references: list[Reference], **options: object) -> tuple[list[Reference], list[Reference]]:
        return references, []

    def get(self, reference: Reference) -> bytes:
        return reference.answer

    def kill(self, actor: FakeActor) -> None:
        self.killed += 1


class Job:
    """Workers of two cores, who say one after the other what they are told to."""

    def __init__(self, directory: Path, *says: About) -> None:
        from engine.jobs.ray_workers import RayWorkers

        folder = JobFolder(directory)
        folder.make()
        self.now, self.notes = 0.0, list[str]()
        self.workers: Any = RayWorkers(folder, None, self.notes.append)
        token = folder.token()
        self.ray = FakeRay(iter([msgspec.structs.replace(about, token=about.token or token) for about in says]))
        self.workers._ray = self.workers._worker = self.ray
        self.workers._unfit = Unfit(lambda: self.now)

    def turn(self) -> int:
        """Do what a driver does; return how many workers there are."""
        self.workers._grow_due = 0.0
        self.workers.idle(2)
        self.workers.poll(0.0)
        return len(self.workers)


def about(node: str, problem: str = "", *, token: str = "", version: str = engine.__version__) -> About:
    return About(node, version, 1, token, problem, may_pass=bool(problem))


def test_who_did_not_reach_the_storage_at_first_is_asked_again(tmp_path: Path) -> None:
    job = Job(tmp_path, *[about("one", AWAY)] * 4, *[about("one")] * 2)
    assert [job.turn() for _ in range(3)] == [0, 0, 0], "not before the pause is over"
    assert (job.notes, job.ray.killed) == ([f"one: {AWAY}"], 2)
    job.now += 1.0
    assert job.turn() == 0
    job.now += 2.0
    assert job.turn() == 2
    assert job.notes == [f"one: {AWAY}"]


def test_others_go_on_without_a_node_that_does_not_fit_until_it_does(tmp_path: Path) -> None:
    job = Job(tmp_path, about("one"), about("two", token="another"), about("two", version="0"), about("two"))
    assert [job.turn() for _ in range(3)] == [1, 1, 1]
    job.now += 1.0
    assert job.turn() == 1
    job.now += 2.0
    assert job.turn() == 2
    assert [note.rpartition(": ")[0] for note in job.notes] == [
        f"two: {tmp_path} is not the same there",
        f"two: facestream 0 is installed there, and here {engine.__version__}",
    ]


def test_where_none_fits_that_is_the_end(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="install the same everywhere"):
        Job(tmp_path / "job", *[about("one", version="0")] * 2).turn()
    job = Job(tmp_path / "other", *[about("one", AWAY)] * 20)
    for _ in range(5):
        assert job.turn() == 0
        job.now += 60.0
    with pytest.raises(UsageError, match=AWAY):
        job.turn()
