"""``engine.jobs.steps``: what a worker's process is asked to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine.config import Config
from engine.contracts.recording import Recording, sent
from engine.errors import RecoverableError, WorkerError
from engine.jobs.orders import plan_task, read_plan, segment_task
from engine.jobs.plan import Plan
from engine.jobs.segments import WHOLE
from engine.jobs.steps import plan, process
from engine.jobs.task import Kept, work_of
from tests.jobs.clips import film

TREE = msgspec.to_builtins(Config())


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording("door", film(tmp_path / "door.mp4", 10, []))


@pytest.fixture
def planned(recording: Recording, tmp_path: Path) -> Plan:
    plan(Kept(), plan_task(recording, TREE, 300.0).spec, tmp_path, lambda seconds: None)
    return read_plan(tmp_path)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def older(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize("change", [longer, older])
def test_what_has_changed_since_it_was_planned_is_not_processed(
    change: Callable[[Path], None], recording: Recording, planned: Plan, tmp_path: Path
) -> None:
    task = segment_task(sent(recording), planned, WHOLE, TREE, {})
    change(recording.path)
    with pytest.raises(RecoverableError, match="has changed since it was planned"):
        process(Kept(), task.spec, tmp_path / "result", lambda seconds: None)
    assert not (tmp_path / "result").exists()


def test_what_changes_while_it_is_processed_leaves_no_result(recording: Recording, planned: Plan, tmp_path: Path) -> None:
    task = segment_task(sent(recording), planned, WHOLE, TREE, {})
    kept = Kept()
    with pytest.raises(RecoverableError, match="has changed since it was planned"):
        process(kept, task.spec, tmp_path / "result", lambda seconds: older(recording.path))
    kept["warm"].close()


def test_whoever_waits_sees_that_it_goes_on_each_time_it_is_told(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a recording whose length nobody knows, and where no frame comes for long."""
    monkeypatch.setattr("engine.jobs.chain._TELL_SECONDS", 0.0)
    tape = film(tmp_path / "tape.ts", 10, [])
    with tape.open("ab") as file:
        file.write(bytes(1 << 20))
    steps: list[float] = []
    plan(Kept(), plan_task(Recording("tape", tape), TREE, 300.0).spec, tmp_path, steps.append)
    assert len(steps) > 8
    task, kept, told = segment_task(sent(Recording("tape", tape)), read_plan(tmp_path), WHOLE, TREE, {}), Kept(), list[float]()
    process(kept, task.spec, tmp_path / "result", told.append)
    kept["warm"].close()
    assert len(told) > 18
    assert told == sorted(set(told))


def test_a_task_names_what_does_it(recording: Recording, planned: Plan) -> None:
    assert work_of(plan_task(recording, TREE, 300.0)) is plan
    assert work_of(segment_task(sent(recording), planned, WHOLE, TREE, {})) is process


def test_what_is_not_there_is_not_taken_for_bad(recording: Recording, planned: Plan, tmp_path: Path) -> None:
    task = segment_task(sent(recording), planned, WHOLE, TREE, {})
    recording.path.unlink()
    with pytest.raises(WorkerError, match="does not see"):
        process(Kept(), task.spec, tmp_path / "result", lambda seconds: None)


def test_the_key_of_a_segment_is_of_its_content_and_not_of_when_that_was_written(
    recording: Recording, planned: Plan, tmp_path: Path
) -> None:
    key = segment_task(sent(recording), planned, WHOLE, TREE, {}).key
    older(recording.path)
    plan(Kept(), plan_task(recording, TREE, 300.0).spec, tmp_path, lambda seconds: None)
    assert segment_task(sent(recording), read_plan(tmp_path), WHOLE, TREE, {}).key == key
    longer(recording.path)
    plan(Kept(), plan_task(recording, TREE, 300.0).spec, tmp_path, lambda seconds: None)
    assert segment_task(sent(recording), read_plan(tmp_path), WHOLE, TREE, {}).key != key
