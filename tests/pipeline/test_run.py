"""What a run does after a worker's death, with the attempts replaced."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from engine.config import Config, OutputConfig, PublishConfig, SourceConfig
from engine.errors import PublishError, WorkerError
from engine.lock import DirectoryLock
from engine.pipeline import run
from engine.pipeline.description import describe_run

DONE = SimpleNamespace(interrupted=frozenset())


@pytest.fixture
def config(tmp_path: Path) -> Config:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / "run.json").write_text(json.dumps({"run_id": "another's"}))
    output = OutputConfig(directory=str(directory), overwrite=True)
    return replace(Config(), sources=(SourceConfig(uri=str(clip)),), output=output)


def attempts(monkeypatch: pytest.MonkeyPatch, *, claims: bool) -> list[OutputConfig]:
    """Let the first attempt fail, after publish has taken the directory or before; return the outputs of all."""
    seen: list[OutputConfig] = []

    def attempt(config: Config, about: dict[str, object], *_: object, same_run: bool) -> object:
        seen.append(config.output)
        if len(seen) == 1:
            if claims:
                Path(config.output.directory, "run.json").write_text(json.dumps({"run_id": about["run_id"]}))
            raise WorkerError("a worker died")
        return DONE

    monkeypatch.setattr(run, "_attempt", attempt)
    return seen


def test_after_a_death_the_run_goes_on_where_it_was(config: Config, monkeypatch: pytest.MonkeyPatch):
    seen, said = attempts(monkeypatch, claims=True), list[str]()
    assert run.run_pipeline(config, warn=said.append) is DONE
    assert seen == [config.output, replace(config.output, resume=True, overwrite=False)]
    assert said[-1] == "a worker died; the run goes on where it was", "who died, and of what, is told each time"


def test_after_a_death_before_the_run_began_it_begins_again(config: Config, monkeypatch: pytest.MonkeyPatch):
    """What lies in the directory is another run's: going on with that would report its results as this one's."""
    seen, said = attempts(monkeypatch, claims=False), list[str]()
    assert run.run_pipeline(config, warn=said.append) is DONE
    assert seen == [config.output, config.output]
    assert said[-1] == "a worker died; the run begins again"


def test_a_report_that_fails_does_not_hide_what_went_wrong(config: Config, monkeypatch: pytest.MonkeyPatch):
    class Failing:
        def __init__(self, *_: object) -> None: ...

        def run(self) -> None:
            raise WorkerError("the enhance worker died")

    def report(*_: object) -> None:
        raise PublishError("no report")

    monkeypatch.setattr(run, "Supervisor", Failing)
    monkeypatch.setattr(run, "_report", report)
    about = describe_run(config)
    with pytest.raises(WorkerError, match="enhance worker died"):
        run._attempt(config, about, (), lambda _: None, None)


def test_the_report_of_another_run_is_left_alone(config: Config):
    directory = Path(config.output.directory)
    (directory / "faces.jsonl").touch()
    (directory / "report.html").write_text("another's")
    assert run._report(config, describe_run(config)) is None
    assert (directory / "report.html").read_text() == "another's"


def test_a_recording_whose_reader_was_killed_from_outside_is_read_once_more(config: Config, monkeypatch: pytest.MonkeyPatch):
    """When all others are done; and not a third time."""
    seen: list[bool] = []

    def attempt(config: Config, about: dict[str, object], *_: object, same_run: bool) -> object:
        Path(config.output.directory, "run.json").write_text(json.dumps({"run_id": about["run_id"]}))
        assert config.output.resume == same_run
        seen.append(same_run)
        return SimpleNamespace(interrupted=frozenset({"bad"}), number=len(seen))

    monkeypatch.setattr(run, "_attempt", attempt)
    assert run.run_pipeline(config).number == 2
    assert seen == [False, True]


def test_without_a_directory_nothing_is_read_again(config: Config, monkeypatch: pytest.MonkeyPatch):
    config = replace(config, output=OutputConfig(), publish=PublishConfig(endpoint="tcp://127.0.0.1:*"))
    result = SimpleNamespace(interrupted=frozenset({"bad"}))
    monkeypatch.setattr(run, "_attempt", lambda *_, same_run: result)
    assert run.run_pipeline(config) is result


def test_a_run_that_another_forestalled_is_not_tried_again(config: Config, monkeypatch: pytest.MonkeyPatch):
    config = replace(config, output=replace(config.output, overwrite=False))
    Path(config.output.directory, "run.json").unlink()
    with contextlib.ExitStack() as other:

        def attempt(config: Config, *_: object, same_run: bool) -> object:
            other.enter_context(contextlib.closing(DirectoryLock(Path(config.output.directory))))
            raise WorkerError("publish: another run is writing there")

        monkeypatch.setattr(run, "_attempt", attempt)
        with pytest.raises(PublishError, match=r"another run is writing to .* now"):
            run.run_pipeline(config)
