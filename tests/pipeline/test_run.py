"""What a run does after a worker's death, with the attempts replaced."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.config import Config, OutputConfig, SourceConfig
from engine.contracts.links import Assign
from engine.errors import PublishError, WorkerError
from engine.pipeline import run


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

    def attempt(config: Config, about: dict[str, object], *_: object) -> str:
        seen.append(config.output)
        if len(seen) == 1:
            if claims:
                Path(config.output.directory, "run.json").write_text(json.dumps({"run_id": about["run_id"]}))
            raise WorkerError("a worker died")
        return "done"

    monkeypatch.setattr(run, "_attempt", attempt)
    return seen


def test_after_a_death_the_run_goes_on_where_it_was(config: Config, monkeypatch: pytest.MonkeyPatch):
    seen = attempts(monkeypatch, claims=True)
    assert run.run_pipeline(config) == "done"
    assert seen == [config.output, replace(config.output, resume=True, overwrite=False)]


def test_after_a_death_before_the_run_began_it_begins_again(config: Config, monkeypatch: pytest.MonkeyPatch):
    """What lies in the directory is another run's: going on with that would report its results as this one's."""
    seen = attempts(monkeypatch, claims=False)
    assert run.run_pipeline(config) == "done"
    assert seen == [config.output, config.output]


def test_a_report_that_fails_does_not_hide_what_went_wrong(config: Config, monkeypatch: pytest.MonkeyPatch):
    class Failing:
        def __init__(self, *_: object) -> None: ...

        suspect = None

        def run(self) -> None:
            raise WorkerError("the enhance worker died")

    def report(*_: object) -> None:
        raise PublishError("no report")

    monkeypatch.setattr(run, "Supervisor", Failing)
    monkeypatch.setattr(run, "_report", report)
    about = run.describe_run(config)
    with pytest.raises(WorkerError, match="enhance worker died"):
        run._attempt(config, about, (), lambda _: None, None, Counter())


def test_the_report_of_another_run_is_left_alone(config: Config):
    directory = Path(config.output.directory)
    (directory / "faces.jsonl").touch()
    (directory / "report.html").write_text("another's")
    assert run._report(config, run.describe_run(config)) is None
    assert (directory / "report.html").read_text() == "another's"


def test_a_recording_that_kills_its_decoder_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[list[str], list[str]]] = []

    class Deadly:
        """Whoever reads `bad` dies; five times in all would end the run."""

        was_drained = False

        def __init__(self, crew: object, orders: list[Assign], *arguments: object) -> None:
            self.suspect = "bad" if any(order.stream == "bad" for order in orders) else None
            seen.append(([order.stream for order in orders], list(arguments[-1])))

        def run(self) -> None:
            if self.suspect:
                raise WorkerError("the worker decode-1 died")

    monkeypatch.setattr(run, "Supervisor", Deadly)
    monkeypatch.setattr(run, "Crew", lambda *_: None)
    names = ("bad", "good")
    for name in names:
        (tmp_path / f"{name}.mp4").touch()
    sources = tuple(SourceConfig(uri=str(tmp_path / f"{name}.mp4"), name=name) for name in names)
    config = replace(Config(), sources=sources, output=OutputConfig(directory=str(tmp_path / "out")))
    assert run.run_pipeline(config).outcome == "completed"
    assert seen == [(["bad", "good"], []), (["bad", "good"], []), (["good"], ["bad"])]
