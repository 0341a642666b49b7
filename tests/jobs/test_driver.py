"""A driver with real processes, without a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.errors import FacestreamError
from engine.jobs.driver import Driver, JobStopped, read_standing
from engine.jobs.job_folder import JobFolder
from engine.jobs.lease import HeldLease
from engine.jobs.messages import Ended
from engine.jobs.standing import Standing
from engine.jobs.task import Task
from tests.jobs.fake_job import FakeJob
from tests.jobs.fake_work import task
from tests.jobs.thread_workers import ThreadWorkers


@pytest.fixture
def workers(folder: JobFolder) -> Iterator[ThreadWorkers]:
    made = ThreadWorkers(folder.directory)
    yield made
    made.close()


def drive(folder: JobFolder, work: FakeJob, workers: ThreadWorkers, asked: list[int] | None = None) -> Standing:
    """Drive a job; ``asked``: how often somebody has asked to stop, from the first task on."""
    seen = list[Standing]()
    over = Driver(folder, work, workers, lambda: (asked or [0])[0] if workers.given else 0, seen.append).drive()
    assert seen[-1] == over == read_standing(folder)
    return over


def test_good_bad_and_poisonous_recordings(folder: JobFolder, workers: ThreadWorkers, tmp_path: Path) -> None:
    tasks = [
        task("good-1", recording="good"),
        task("good-2", recording="good"),
        task("once", str(tmp_path / "mark"), work="once_odd"),
        task("bad", "bad.mkv", work="bad"),
        task("poison", work="poison"),
    ]
    over = drive(folder, FakeJob(tasks, {"good-1": [task("good-3", recording="good")]}), workers)
    assert (over.phase, over.recordings, over.recordings_done) == ("done", 4, 2)
    assert {(one.recording, one.state, one.reason) for one in over.bad} == {
        ("bad", "failed", "bad.mkv cannot be read: no video in it"),
        ("poison", "set_aside", "2 processes died of it; the last one was killed by signal SIGSEGV"),
    }
    assert folder.done() == {"good-1", "good-2", "good-3", "once"}
    assert not os.listdir(folder.leases) + os.listdir(folder.unfinished)
    assert over.attempts_repeated == 1


def test_another_driver_goes_on_and_does_nothing_twice(folder: JobFolder, workers: ThreadWorkers) -> None:
    tasks = [task(f"k{number}") for number in range(4)]
    drive(folder, FakeJob(tasks[:2]), workers)
    before = {key: (folder.results / key / "said").read_text() for key in ("k0", "k1")}
    (folder.unfinished / "left").mkdir()
    workers.given.clear()
    over = drive(folder, FakeJob(tasks), workers)
    assert {one.key for one in workers.given} == {"k2", "k3"}
    assert before == {key: (folder.results / key / "said").read_text() for key in before}
    assert (over.tasks, over.tasks_done) == (4, 4)
    assert not os.listdir(folder.unfinished), "what a dead attempt left is gone"


def test_what_a_dead_driver_noted_counts(folder: JobFolder, workers: ThreadWorkers) -> None:
    work = FakeJob([task("poison", work="poison")])
    drive(folder, work, workers)
    workers.given.clear()
    over = drive(folder, work, workers)
    assert not workers.given
    assert over.recordings_set_aside == 1


def test_what_somebody_else_holds_is_waited_for(folder: JobFolder, workers: ThreadWorkers) -> None:
    other = HeldLease(folder.leases / "a", "other")
    other.take()
    seen = list[Standing]()

    def show(standing: Standing) -> None:
        seen.append(standing)
        if len(seen) == 3:
            other.release()

    over = Driver(folder, FakeJob([task("a"), task("b")]), workers, lambda: 0, show).drive()
    assert [one.key for one in workers.given] == ["b", "a"]
    assert over.phase == "done"


class LostWorkers(ThreadWorkers):
    """The first is lost with what it was given, when it has done some of that."""

    def __init__(self, directory: Path, done: int) -> None:
        super().__init__(directory, number=1)
        self._done, self.together = done, list[list[str]]()

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        self.together.append([one.key for one in tasks])
        super().give(worker, tasks if len(self.together) > 1 else tasks[: self._done])

    def poll(self, seconds: float) -> list[tuple[str, list[Ended]]]:
        ended = super().poll(seconds)
        return [(name, [Ended("lost", "its node was lost")] if len(self.together) == 1 else how) for name, how in ended]


def test_short_tasks_go_together_and_what_was_tried_before_goes_alone(folder: JobFolder) -> None:
    workers = LostWorkers(folder.directory, done=2)
    over = drive(folder, FakeJob([task(f"k{number}") for number in range(8)]), workers)
    workers.close()
    assert workers.together[0] == ["k0", "k1", "k2", "k3"]
    assert ["k2"] in workers.together[1:], "the one that the lost worker was at"
    assert sorted(key for some in workers.together[1:] for key in some) == ["k2", "k3", "k4", "k5", "k6", "k7"]
    assert {key: len(one.attempts) for key, one in folder.read_attempts().items()} == {"k2": 1}
    assert (over.phase, over.tasks_done, over.attempts_repeated) == ("done", 8, 1)


def test_long_tasks_go_one_by_one(folder: JobFolder) -> None:
    workers = LostWorkers(folder.directory, done=1)
    drive(folder, FakeJob([task(f"k{number}", seconds=300.0) for number in range(6)]), workers)
    workers.close()
    assert workers.together == [[f"k{number}"] for number in range(6)]


def test_asked_once_it_finishes_what_runs(folder: JobFolder, workers: ThreadWorkers) -> None:
    over = drive(folder, FakeJob([task(f"k{number}", "0.3") for number in range(6)]), workers, [1])
    assert over.phase == "stopped"
    assert folder.done() == {one.key for one in workers.given}, (over, folder.read_attempts())
    assert len(workers.given) == 2


def test_asked_twice_it_leaves_what_runs(folder: JobFolder, workers: ThreadWorkers) -> None:
    with pytest.raises(JobStopped) as error:
        drive(folder, FakeJob([task("a", "60")]), workers, [2])
    assert error.value.exit_code == 130
    left = read_standing(folder)
    assert left is not None
    assert left.phase == "stopped"


def test_without_a_model_nothing_goes_on(folder: JobFolder, workers: ThreadWorkers) -> None:
    with pytest.raises(FacestreamError, match=r"there is no model grey\.onnx \(on node of w0\)") as error:
        drive(folder, FakeJob([task("a", work="no_model")]), workers)
    assert error.value.exit_code == 2
    left = read_standing(folder)
    assert left is not None
    assert (left.phase, left.problem) == ("failed", str(error.value))
    assert not os.listdir(folder.attempts), "the next command may find the model"
