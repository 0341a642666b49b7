"""A worker with a real process, without a cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.jobs.job_folder import JobFolder
from engine.jobs.lease import HeldLease
from engine.jobs.messages import Ended
from engine.jobs.process import TaskProcess
from engine.jobs.task import Task
from engine.jobs.worker import ArchiveWorker
from engine.runtime.channel import wait_for_any
from tests.jobs.fake_work import task
from tests.patience import until


@pytest.fixture
def worker(folder: JobFolder) -> Iterator[ArchiveWorker]:
    """A worker of it."""
    made = ArchiveWorker(folder, 1.0)
    yield made
    made.close()


def do_all(worker: ArchiveWorker, *tasks: Task) -> list[Ended]:
    return msgspec.json.decode(worker.do(msgspec.json.encode(tasks)), type=list[Ended])


def do(worker: ArchiveWorker, one: Task) -> Ended:
    (ended,) = do_all(worker, one)
    return ended


def is_empty(folder: JobFolder) -> bool:
    """Whether nothing was left over."""
    return not os.listdir(folder.leases) and not os.listdir(folder.unfinished)


def test_one_process_does_several_tasks_and_stays_warm(worker: ArchiveWorker, folder: JobFolder) -> None:
    assert do(worker, task("a")) == do(worker, task("b")) == Ended("done")
    (_, pid_a, done_a), (_, pid_b, done_b) = ((folder.results / key / "said").read_text().split(" ") for key in "ab")
    assert (pid_a, done_a, done_b) == (pid_b, "1", "2")
    assert folder.done() == {"a", "b"}
    assert is_empty(folder)


@pytest.mark.parametrize(
    ("work", "outcome", "words"),
    [
        ("bad", "failed", "x cannot be read: no video in it"),
        ("no_model", "fatal", "there is no model grey.onnx"),
        ("odd", "error", "ValueError: odd"),
        ("poison", "died", "was killed by signal SIGSEGV"),
        ("is_not_there", "error", "is_not_there"),
    ],
)
def test_what_goes_wrong_is_told_and_leaves_nothing(
    worker: ArchiveWorker, folder: JobFolder, work: str, outcome: str, words: str
) -> None:
    ended = do(worker, task("a", "x", work=work))
    assert ended.outcome == outcome
    assert words in ended.reason
    assert not folder.done()
    assert is_empty(folder)
    assert do(worker, task("b")) == Ended("done"), "another process does the next"


def test_of_several_a_poisonous_one_takes_none_along(worker: ArchiveWorker, folder: JobFolder) -> None:
    ended = do_all(worker, task("a"), task("b", work="poison"), task("c", "c.mkv", work="bad"), task("d"))
    assert [one.outcome for one in ended] == ["done", "died", "failed", "done"]
    assert folder.done() == {"a", "d"}
    assert is_empty(folder)


def test_behind_one_with_which_nothing_can_go_on_the_others_are_left(worker: ArchiveWorker, folder: JobFolder) -> None:
    assert [one.outcome for one in do_all(worker, task("a"), task("b", work="no_model"), task("c"))] == ["done", "fatal"]
    assert folder.done() == {"a"}


def test_what_hangs_and_what_takes_too_much_memory_is_killed(tmp_path: Path) -> None:
    process = TaskProcess(most_bytes=300 << 20, stuck_seconds=0.5)
    tmp_path.joinpath("x").mkdir()
    hung = process.do(task("a", work="hang"), tmp_path / "x", lambda seconds: True)
    assert hung == Ended("died", "made no progress for 0 s")
    process = TaskProcess(most_bytes=300 << 20, stuck_seconds=60.0)
    greedy = process.do(task("b", "400", work="greedy"), tmp_path / "x", lambda seconds: True)
    assert greedy.outcome == "died"
    assert "GiB of memory, where 0.3 are allowed" in greedy.reason
    process.close()


def test_a_task_that_somebody_else_holds_is_left_alone(worker: ArchiveWorker, folder: JobFolder) -> None:
    other = HeldLease(folder.leases / "a", "other")
    assert other.take()
    assert do(worker, task("a")) == Ended("held")
    other.release()
    assert do(worker, task("a")).outcome == "done"


def test_a_result_that_is_there_is_not_made_again(worker: ArchiveWorker, folder: JobFolder) -> None:
    do(worker, task("a"))
    before = (folder.results / "a" / "said").read_text()
    assert do(worker, task("a")).outcome == "done"
    assert (folder.results / "a" / "said").read_text() == before


def test_one_that_lost_its_lease_stops_and_keeps_what_the_other_left(
    worker: ArchiveWorker, folder: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.lease.RENEW_SECONDS", 0.0)
    ended: list[Ended] = []
    thread = threading.Thread(target=lambda: ended.append(do(worker, task("a", "60"))))
    thread.start()
    path = folder.leases / "a"
    until(path.exists)

    def is_over() -> bool:
        if thread.is_alive():  # it may have renewed the lease between our look and our word
            path.write_text('{"owner": "other", "node": "n", "pid": 1}')
        return not thread.is_alive()

    until(is_over)
    assert ended == [Ended("held")]
    assert path.exists(), "another's lease stays"


def test_who_waits_for_its_process_to_start_holds_the_lease(folder: JobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine that took longer than a lease lasts: the task was given back, and the process killed once ready."""
    happened: list[str] = []

    def not_yet(sources: Iterable[Any], seconds: float) -> list[Any]:
        if len(happened) >= 6:
            return wait_for_any(sources, seconds)
        happened.append("not ready")
        return []

    def moved(seconds: float) -> bool:
        happened.append(f"held at {seconds:g}")
        return True

    monkeypatch.setattr("engine.jobs.process.wait_for_any", not_yet)
    process = TaskProcess(most_bytes=8 << 30, stuck_seconds=60.0)
    assert process.do(task("a"), folder.new_place("x"), moved) == Ended("done")
    assert happened[:6] == ["not ready", "held at 0"] * 3
    process.close()


def test_the_first_result_stays(folder: JobFolder) -> None:
    first, second = folder.new_place("one"), folder.new_place("two")
    (first / "said").write_text("first")
    (second / "said").write_text("second")
    assert folder.keep("a", first)
    assert not folder.keep("a", second)
    assert (folder.results / "a" / "said").read_text() == "first"
    assert is_empty(folder)


def test_a_process_killed_from_outside_is_told_as_that(folder: JobFolder, tmp_path: Path) -> None:
    process = TaskProcess(most_bytes=8 << 30, stuck_seconds=60.0)

    def kill(seconds: float) -> bool:
        if seconds:  # it has begun
            os.kill(process.pid, signal.SIGKILL)
        return True

    assert process.do(task("a", "30"), folder.new_place("x"), kill) == Ended("died", "was killed by signal SIGKILL")
