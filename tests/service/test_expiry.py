"""A service lets finished runs expire, in a child."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import OutputConfig
from engine.service.expiry import RunExpiry, policy_of
from engine.service.tasks import Tasks
from tests.privacy.output import write_run


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def warn(self, sentence: str) -> None:
        self.warned.append(sentence)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """One run whose lines are years old: their clocks began in 1970."""
    folder = tmp_path / "runs"
    folder.mkdir()
    write_run(folder / "old", [("known", ["Ada"])])
    for name in ("faces.jsonl", "tracks.jsonl"):
        lines = [json.loads(line) | {"sent_ns": 1} for line in (folder / "old" / name).read_text().splitlines()]
        (folder / "old" / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_old_lines_are_deleted_in_a_child_and_it_is_said(runs: Path) -> None:
    heard = Heard()
    tasks = Tasks(heard.warn)
    RunExpiry(runs, OutputConfig, tasks, heard).expire(policy_of(OutputConfig(keep_pictures_days=1, keep_records_days=1)))
    tasks.close()
    assert heard.warned == []
    assert len(heard.said) == 1
    assert heard.said[0].endswith("finished runs were too old and are deleted")
    assert not list(runs.rglob("*.jpg"))


def test_nothing_is_begun_where_all_is_kept_or_nothing_is_there(runs: Path, tmp_path: Path) -> None:
    heard, begun = Heard(), list[object]()
    for folder, output in ((runs, OutputConfig()), (tmp_path / "none", OutputConfig(keep_records_days=1))):
        expiry = RunExpiry(folder, lambda output=output: output, Tasks(heard.warn), heard)  # type: ignore[misc]
        expiry.expire = begun.append  # type: ignore[method-assign, assignment]
        expiry.check()
    assert begun == []


def test_it_is_looked_at_once_an_hour(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, begun = [100.0], list[object]()
    monkeypatch.setattr("engine.service.expiry.time.monotonic", lambda: now[0])
    expiry = RunExpiry(runs, lambda: OutputConfig(keep_records_days=1), Tasks(print), Heard())
    expiry.expire = begun.append  # type: ignore[method-assign, assignment]
    for seconds, count in ((0, 1), (3599, 1), (3601, 2), (3700, 2)):
        now[0] = 100.0 + seconds
        expiry.check()
        if expiry._working is not None:
            expiry._working.join()
        assert len(begun) == count
