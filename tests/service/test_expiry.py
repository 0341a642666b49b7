"""A service lets finished runs expire, each in a child: what is too old, and what is too much of all of them together."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from engine.config import OutputConfig
from engine.control.answers import Problem
from engine.privacy import Policy
from engine.service.expiry import RunExpiry, limits_of
from engine.service.refusal import Refusal
from engine.service.run_expiry import expire_run, sizes_of
from engine.service.task_messages import ExpiredRun, ExpireTask
from engine.service.tasks import Tasks
from tests.privacy.output import write_run

DAY_NS = 86_400 * 10**9
OLD = OutputConfig(keep_pictures_days=1, keep_records_days=1)


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def warn(self, sentence: str) -> None:
        self.warned.append(sentence)


class Here:
    """Does tasks in this process, and remembers them."""

    def __init__(self, *late: str, code: str = "deadline") -> None:
        self.done: list[str] = []
        self._late, self._code = late, code

    def run(self, task: ExpireTask, wanted: type[ExpiredRun], seconds: float) -> ExpiredRun:
        self.done.append(Path(task.run).name)
        if self.done[-1] in self._late:
            raise Refusal(Problem(code=self._code, message="not done").code, "not done")  # type: ignore[arg-type]
        return expire_run(task)


def aged(run: Path, sent_ns: int) -> Path:
    for name in ("faces.jsonl", "tracks.jsonl"):
        lines = [json.loads(line) | {"sent_ns": sent_ns} for line in (run / name).read_text().splitlines()]
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(facts | {"started_ns": sent_ns, "ended_ns": sent_ns}))
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """One run whose lines are years old: their clocks began in 1970."""
    folder = tmp_path / "runs"
    folder.mkdir()
    aged(write_run(folder / "old", [("known", ["Ada"])]), 1)
    return folder


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Three finished runs of now, as the service leaves them, by name in order of time."""
    folder = tmp_path / "runs"
    folder.mkdir()
    for name in ("1", "2", "3"):
        write_run(folder / name, [("known", ["Ada"])] * 3, report=False)
        facts = json.loads((folder / name / "run.json").read_text())
        (folder / name / "run.json").write_text(json.dumps(facts | {"started_ns": time.time_ns(), "ended_ns": time.time_ns()}))
    return folder


def test_old_lines_are_deleted_in_a_child_and_it_is_said(runs: Path) -> None:
    heard = Heard()
    tasks = Tasks(heard.warn)
    RunExpiry(runs, OutputConfig, tasks, heard).expire(limits_of(OLD))
    tasks.close()
    assert heard.warned == []
    assert len(heard.said) == 1
    assert "MB of finished runs, too old or too much, were deleted" in heard.said[0]
    assert not list(runs.rglob("*.jpg"))


def test_one_run_that_takes_too_long_keeps_no_other_from_being_looked_at(runs: Path) -> None:
    for name in ("a", "z"):
        aged(write_run(runs / name, [("known", ["Ada"])]), 1)
    heard, here = Heard(), Here("old")
    RunExpiry(runs, OutputConfig, here, heard).expire(limits_of(OLD))  # type: ignore[arg-type]
    assert here.done == ["a", "old", "z"]
    assert sorted({path.relative_to(runs).parts[0] for path in runs.rglob("*.jpg")}) == ["old"]
    assert len(heard.warned) == 1


@pytest.mark.parametrize(("code", "warned"), [("busy", 1), ("stopping", 0)])
def test_where_no_child_can_be_it_is_left_for_later(runs: Path, code: str, warned: int) -> None:
    write_run(runs / "z", [("known", ["Ada"])])
    heard, here = Heard(), Here("old", code=code)
    RunExpiry(runs, OutputConfig, here, heard).expire(limits_of(OLD))  # type: ignore[arg-type]
    assert (here.done, len(heard.warned)) == (["old"], warned)


def test_no_run_is_read_of_which_nothing_can_be_due(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, real = Here(), time.time_ns
    expiry = RunExpiry(many, OutputConfig, here, Heard())  # type: ignore[arg-type]
    limits = limits_of(OutputConfig(keep_pictures_days=5))
    now = [0.0]
    monkeypatch.setattr("engine.service.expiry.time.monotonic", lambda: now[0])
    for days, hours, done in ((0, 0, 0), (4.9, 1, 0), (5.1, 2, 3), (5.1, 2.5, 3), (6.2, 3.1, 6), (7, 4.1, 6), (99, 9, 6)):
        monkeypatch.setattr("engine.service.expiry.time.time_ns", lambda days=days: real() + int(days * DAY_NS))
        now[0] = hours * 3600.0
        expiry.expire(limits)
        assert len(here.done) == done, (days, hours)
    expiry.expire(limits_of(OutputConfig(keep_pictures_days=6)))
    assert len(here.done) == 9, "other limits are another question"


def test_all_runs_together_keep_no_more_pictures_than_one_may(many: Path) -> None:
    sizes = sizes_below(many)
    pictures, records = sizes["3"]
    heard, here = Heard(), Here()
    limit = (pictures * 1.5 + 1) / 1e9
    expiry = RunExpiry(many, OutputConfig, here, heard)  # type: ignore[arg-type]
    for _ in range(2):
        expiry.expire(limits_of(OutputConfig(keep_pictures_gb=limit)))
        left = sizes_below(many)
        assert left["3"] == sizes["3"], "the newest is as it was"
        assert 0 < left["2"][0] <= pictures * 0.5 + 1, "of the one before the oldest went"
        assert left["1"][0] == 0
        assert [one[1] for one in left.values()] == [records] * 3, "lines and vectors stay"
    assert here.done == ["2", "1"], "and is remembered"
    assert heard.warned == []


def test_all_runs_together_keep_no_more_records_than_one_may(many: Path) -> None:
    _, records = sizes_of(many / "3")
    expiry = RunExpiry(many, OutputConfig, Here(), heard := Heard())  # type: ignore[arg-type]
    expiry.expire(limits_of(OutputConfig(keep_records_gb=(records + 1) / 1e9)))
    assert sizes_of(many / "3")[1] == records
    assert sizes_below(many).keys() == {"3"}, "small ones go as a whole"
    assert heard.warned == []


def test_of_a_large_run_the_oldest_lines_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run", [("known", ["Ada"])] * 30, faces=4, report=False)
    for name in ("faces.jsonl", "tracks.jsonl", "stream.jsonl"):
        lines = [json.loads(line) for line in (run / name).read_text().splitlines()]
        began = time.time_ns() - len(lines) * 10**9
        lines = [line | {"sent_ns": began + number * 10**9} for number, line in enumerate(lines)]
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setattr("engine.service.run_expiry._FEW_BYTES", 0)
    records = sizes_of(run)[1]
    gone = expire_run(ExpireTask(run=str(run), most_records_bytes=records // 2))
    assert gone.faults == []
    assert records // 4 < sizes_of(run)[1] <= records // 2 + 5 * 4096, "a hole is of whole blocks"
    last = (run / "faces.jsonl").read_bytes().splitlines()[-1]
    assert json.loads(last)["track_id"] == 30


def sizes_below(runs: Path) -> dict[str, tuple[int, int]]:
    return {run.name: sizes_of(run) for run in sorted(runs.iterdir()) if run.is_dir()}


def test_what_goes_on_is_left_alone(many: Path) -> None:
    from engine.lock import DirectoryLock

    before = sizes_of(many / "1")
    lock = DirectoryLock(many / "1")
    for task in (
        ExpireTask(run=str(many / "1"), most_pictures_bytes=0, most_records_bytes=0),
        ExpireTask(run=str(many / "1"), most_pictures_bytes=1, most_records_bytes=1),
        ExpireTask(run=str(many / "1"), policy=Policy(records_days=1e-9)),
    ):
        assert expire_run(task) == ExpiredRun()
    lock.close()
    assert sizes_of(many / "1") == before
    assert expire_run(ExpireTask(run=str(many / "1"), most_records_bytes=0)).bytes == sum(before)


def test_nothing_is_begun_where_all_is_kept_or_nothing_is_there(runs: Path, tmp_path: Path) -> None:
    heard, begun = Heard(), list[object]()
    for folder, output in ((runs, OutputConfig()), (tmp_path / "none", OutputConfig(keep_records_days=1))):
        expiry = RunExpiry(folder, lambda output=output: output, Tasks(heard.warn), heard)  # type: ignore[misc]
        expiry.expire = begun.append  # type: ignore[method-assign, assignment]
        expiry.check()
    assert begun == []


@pytest.mark.parametrize(("output", "pause"), [({"keep_records_days": 1}, 3600), ({"keep_pictures_gb": 1}, 60)])
def test_it_is_looked_at_once_an_hour_and_at_sums_once_a_minute(
    runs: Path, monkeypatch: pytest.MonkeyPatch, output: dict[str, float], pause: int
) -> None:
    now, begun = [100.0], list[object]()
    monkeypatch.setattr("engine.service.expiry.time.monotonic", lambda: now[0])
    expiry = RunExpiry(runs, lambda: OutputConfig(**output), Tasks(print), Heard())
    expiry.expire = begun.append  # type: ignore[method-assign, assignment]
    for seconds, count in ((0, 1), (pause - 1, 1), (pause + 1, 2), (pause + 30, 2)):
        now[0] = 100.0 + seconds
        expiry.check()
        if expiry._working is not None:
            expiry._working.join()
        assert len(begun) == count
