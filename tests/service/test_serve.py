"""One run after another: what ends the service, what begins another run, and what a run that fails leads to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import Config
from engine.control.verbs import LogLevel
from engine.errors import ModelError, WorkerError
from engine.pipeline.control import RunControl
from engine.pipeline.run import RunResult, ServiceRun
from engine.pipeline.signals import CountedSignals
from engine.pipeline.status import RunStatus
from engine.service import serve as module
from engine.service.build import Parts
from engine.service.serve import Runs, ServiceLog
from tests.service.parts import service_in

Script = Callable[[Parts, RunControl, Config, Callable[[RunStatus], None]], None]


class Log(ServiceLog):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def show(self, status: RunStatus) -> None:
        pass

    def run_ended(self, result: RunResult) -> None:
        self.sentences.append("ended")

    def warn(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def say(self, sentence: str) -> None:
        pass

    def set_level(self, level: LogLevel) -> None:
        pass


class Beside:
    """Stands for the keeper."""

    def stopping(self) -> None:
        pass


def go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *scripts: Script) -> tuple[int, list[str], list[Config]]:
    """Let runs follow scripts, one each; return the exit code, what was said, and the configurations of the runs."""
    log, configs, waiting, signals = Log(), list[Config](), list(scripts), CountedSignals()
    monkeypatch.setattr(module, "_PAUSES", (0.0,))
    with service_in(tmp_path) as parts:

        def run_pipeline(
            config: Config, observer: Callable[[RunStatus], None], duration: None, warn: object, control: RunControl,
            service: ServiceRun,
        ) -> RunResult:  # fmt: skip
            configs.append(config)
            waiting.pop(0)(parts, control, config, observer)
            return RunResult(service.run_id, "drained", 1.0, {}, [], RunStatus(), None)

        monkeypatch.setattr(module, "run_pipeline", run_pipeline)
        code = Runs(parts, log, Beside(), signals).go_on()  # type: ignore[arg-type]
    assert waiting == []
    return code, log.sentences, configs


def ready(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    observe(RunStatus())


def drained(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    observe(RunStatus())
    parts.life.stop("asked")


def changed(value: int) -> Script:
    def script(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
        observe(RunStatus())
        with parts.state.lock:
            parts.state.put(type(parts.state.desired)(settings={"crop.top_k": value}))
        assert control.end_asked

    return script


def fails_to_begin(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    raise ModelError("the model cannot be opened")


def fails_later(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    observe(RunStatus())
    raise WorkerError("perceive died six times")


def interrupted(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    raise KeyboardInterrupt


def interrupted_at_work(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    observe(RunStatus())
    raise KeyboardInterrupt


def changed_while_it_loads(parts: Parts, control: RunControl, config: Config, observe: Callable[[RunStatus], None]) -> None:
    with parts.state.lock:
        parts.state.put(type(parts.state.desired)(settings={"crop.top_k": 9}))
    raise KeyboardInterrupt


def test_a_signal_or_a_drain_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert go_on(tmp_path, monkeypatch, ready)[:2] == (0, ["ended"])
    assert go_on(tmp_path, monkeypatch, drained)[:2] == (0, ["ended"])
    assert go_on(tmp_path, monkeypatch, interrupted)[0] == 0, "nothing was held yet"
    assert go_on(tmp_path, monkeypatch, interrupted_at_work)[0] == 130


def test_changed_settings_begin_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, configs = go_on(tmp_path, monkeypatch, changed(7), changed_while_it_loads, drained)
    assert (code, [one.crop.top_k for one in configs]) == (0, [5, 7, 9])
    folders = [one.output.directory for one in configs]
    assert len(set(folders)) == 3, "each has a directory of its own"


def test_settings_that_no_run_can_begin_with_are_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, configs = go_on(tmp_path, monkeypatch, changed(7), fails_to_begin, drained)
    assert (code, [one.crop.top_k for one in configs]) == (0, [5, 7, 5])
    assert "no run can start with the changed settings, so they were reverted: the model cannot be opened" in said


def test_a_run_that_failed_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, configs = go_on(tmp_path, monkeypatch, fails_later, fails_later, fails_to_begin, drained)
    assert (code, len(configs)) == (0, 4)
    assert sum("another one starts in" in one for one in said) == 3


def test_where_the_first_cannot_begin_the_service_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="cannot be opened"):
        go_on(tmp_path, monkeypatch, fails_to_begin)


def test_between_two_runs_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the service manager would take the pause for a run that hangs, and kill the service."""
    seen: list[object] = []
    monkeypatch.setattr(Runs, "_wait", lambda self, seconds: seen.append(self._life.run))
    code, _, _ = go_on(tmp_path, monkeypatch, fails_later, fails_to_begin, drained)
    assert (code, seen) == (0, [None, None])
