"""The life of a service: one run after another until it is stopped, and what it needs beside them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from engine.config import Config
from engine.control.verbs import LogLevel
from engine.errors import FacestreamError
from engine.fleet.agent import Agent
from engine.pipeline.control import RunControl
from engine.pipeline.description import new_run_id
from engine.pipeline.run import RunResult, ServiceRun, run_pipeline
from engine.pipeline.signals import CountedSignals
from engine.pipeline.status import RunStatus
from engine.service.build import Parts, build
from engine.service.keeper import Keeper
from engine.service.placed import PlacedCameras
from engine.service.router import Router

_PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)
"""In seconds, between a run that failed and the next one."""
_STABLE_SECONDS = 600.0
_LOOK_SECONDS = 0.2


class ServiceLog(Protocol):
    """Where the service says what happens."""

    def show(self, status: RunStatus) -> None:
        """Take the newest status of the run."""

    def run_ended(self, result: RunResult) -> None:
        """A run ended in good order."""

    def warn(self, sentence: str) -> None:
        """Say what is unwise, or should not be."""

    def say(self, sentence: str) -> None:
        """Say what is good to know."""

    def set_level(self, level: LogLevel) -> None:
        """From now on say this and what is worse."""


def serve(path: Path | None, log: ServiceLog) -> int:
    """Run a service until it is stopped; for the main thread.

    Args:
        path: of the configuration.
        log: is told what happens, from several threads.

    Returns:
        The exit code: 0 after one signal or the verb ``drain``, 130 after a second signal.

    Raises:
        ConfigError: the configuration, the directory or the desired state cannot be used.
        FacestreamError: the first run could not begin.
    """
    with ExitStack() as closing:
        signals = closing.enter_context(CountedSignals())
        parts = build(path, log, closing)
        router = Router(parts.service, parts.directory, parts.config.serve, log.warn)
        closing.callback(router.close)
        keeper = Keeper(parts, log)
        closing.callback(keeper.close)
        if parts.config.fleet.database:
            closing.callback(_agent(parts, log).close)
        log.say(f"the service answers at {parts.directory.control}" + (f" and {router.endpoint}" if router.endpoint else ""))
        return Runs(parts, log, keeper, signals).go_on()


def _agent(parts: Parts, log: ServiceLog) -> Agent:
    folder = parts.directory.fleet
    return Agent(parts.config.fleet, folder, PlacedCameras(parts, folder / "permit"), log)


class Runs:
    """Begins one run after another."""

    def __init__(self, parts: Parts, log: ServiceLog, keeper: Keeper, signals: CountedSignals) -> None:
        self._parts, self._log, self._keeper, self._signals = parts, log, keeper, signals
        self._life = parts.life
        self._failures = 0
        self._good_settings: dict[str, object] | None = None
        """With which a run has begun; None: none has."""
        self._has_begun = False
        """The present run, or the last."""

    def go_on(self) -> int:
        """Begin runs until it is over."""
        life = self._life
        while not life.stopping and not self._signals.count:
            control, settings = RunControl(), self._parts.state.desired.settings
            began = time.monotonic()
            try:
                result = self._run(control)
            except KeyboardInterrupt:
                if control.end_asked and not self._signals.count:  # while its models were loaded
                    continue
                return 130 if self._has_begun else 0
            except FacestreamError as error:
                self._recover(error, settings, began)
                continue
            finally:
                if self._has_begun:
                    self._good_settings = dict(settings)
            self._failures = 0
            self._log.run_ended(result)
            if not control.end_asked:
                life.stop("a signal")
        self._keeper.stopping()
        return 0

    def _run(self, control: RunControl) -> RunResult:
        parts, life = self._parts, self._life
        run_id, self._has_begun = new_run_id(), False
        forbidden = parts.streams.forbidden(parts.state.desired)
        with parts.state.lock:
            life.begin(run_id, control)
            cameras = parts.streams.readable(parts.state.desired, control, forbidden)
        for name, fault in parts.streams.faults.items():
            self._log.warn(f"the camera {name} cannot be read: {fault}")
        config = self._config(run_id)
        service = ServiceRun(run_id, cameras, parts.directory.tap)
        try:
            return run_pipeline(config, self._observe, None, self._log.warn, control, service)
        finally:
            life.run_is_over()  # nobody waits for news of it while the next one is waited for

    def _config(self, run_id: str) -> Config:
        config, output = self._life.config, self._life.config.output
        directory = str(self._parts.directory.runs / run_id) if config.serve.record else ""
        output = replace(output, directory=directory, overwrite=False, resume=False, report=False)
        return replace(config, sources=[], output=output)

    def _observe(self, status: RunStatus) -> None:
        self._has_begun = True
        self._life.observe(status)
        self._log.show(status)

    def _recover(self, error: FacestreamError, settings: dict[str, object], began: float) -> None:
        """Go on after a run that failed: with the settings before, where none can begin with the new ones."""
        if not self._has_begun and self._good_settings is None:
            raise error
        if not self._has_begun and self._good_settings != settings:
            self._log.warn(f"no run can start with the changed settings, so they were reverted: {error}")
            self._parts.take_back_settings(dict(self._good_settings or {}))
            return
        if time.monotonic() - began > _STABLE_SECONDS:
            self._failures = 0
        pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        self._log.warn(f"the run has failed; another one starts in {pause:g} s: {error}")
        self._wait(pause)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._signals.count and not self._life.stopping:
            time.sleep(_LOOK_SECONDS)
