"""Whether faces are found now, and what the service manager is told of it."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from engine.control.answers import Status
from engine.control.verbs import GetStatus
from engine.pipeline.control import RunControl
from engine.pipeline.status import RunStatus
from engine.service.build import Parts
from engine.service.keeper import Keeper
from engine.service.life import Life, Readiness
from engine.service.web_process import WebProcess
from tests.service.parts import ask


@pytest.fixture
def ready(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """A service whose run has just said something, by a clock that stands still."""
    now = time.monotonic()
    monkeypatch.setattr("engine.service.life.time", SimpleNamespace(monotonic=lambda: now))
    parts.life.begin("run", RunControl())
    parts.life.observe(RunStatus())
    parts.life.readiness = Readiness(True, "a known face was verified")
    return parts


def status(parts: Parts) -> Status:
    found = ask(parts, GetStatus()).result
    assert isinstance(found, Status)
    return found


def silent(life: Life, seconds: float) -> None:
    life._observed -= seconds


def never_tested(life: Life) -> None:
    life.readiness = Readiness()


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (Life.run_is_over, "no run is active: the next one is starting"),
        (lambda life: life.begin("next", RunControl()), "no run is active"),
        (lambda life: silent(life, 16.0), "the run has said nothing for 16 s"),
        (lambda life: silent(life, 3600.0), "the run has said nothing for 3600 s"),
        (lambda life: life.stop("drained"), "the service is being stopped: drained"),
        (never_tested, "the self-test has not run yet"),
        (lambda life: setattr(life, "web_fault", "the console does not answer"), "the console does not answer"),
    ],
)
def test_ready_needs_a_run_that_goes_on(ready: Parts, happens: Callable[[Life], object], why: str) -> None:
    assert (status(ready).ready, status(ready).ready_detail) == (True, "a known face was verified")
    happens(ready.life)
    assert not status(ready).ready
    assert why in status(ready).ready_detail


def test_the_service_manager_hears_nothing_only_of_a_run_that_hangs(ready: Parts) -> None:
    told: list[str] = []
    manager = SimpleNamespace(alive=lambda: told.append("alive"), ready=lambda words: told.append("ready"))
    keeper = Keeper.__new__(Keeper)
    keeper._parts, keeper._manager, keeper._is_ready_told = ready, manager, False  # type: ignore[assignment]
    keeper._tell_manager()
    assert told == ["ready", "alive"]
    silent(ready.life, 16.0)
    keeper._tell_manager()
    assert told == ["ready", "alive"]
    ready.life.run_is_over()  # a minute's pause before the next run is no fault of the service
    keeper._tell_manager()
    assert told == ["ready", "alive", "alive"]


def test_how_long_a_run_was_silent_is_told(ready: Parts) -> None:
    silent(ready.life, 70.0)
    assert status(ready).silent_seconds == pytest.approx(70.0)
    ready.life.run_is_over()
    assert status(ready).silent_seconds == 0.0


def test_the_web_process_is_told_among_the_workers(ready: Parts) -> None:
    assert [one.name for one in status(ready).workers] == []
    keeper = Keeper.__new__(Keeper)
    keeper._parts, keeper._is_ready_told = ready, True
    keeper._manager = SimpleNamespace(alive=lambda: None)  # type: ignore[assignment]
    keeper._expiry = SimpleNamespace(check=lambda: None)  # type: ignore[assignment]
    keeper._web = WebProcess("{}", print, [sys.executable, "-c", "import signal; signal.pause()"])
    keeper._testing, keeper._next_test = None, math.inf
    ready.life.wants_self_test.clear()
    try:
        keeper._turn()
        (web,) = status(ready).workers
        assert (web.name, web.alive, web.restarts, web.pid > 0) == ("web", True, 0, True)
    finally:
        keeper._web.close()


def test_what_is_said_of_a_run_that_is_over_is_no_news(ready: Parts) -> None:
    """The thread that shows a run may be late; nobody would ever take its word back."""
    ready.life.run_is_over()
    ready.life.observe(RunStatus())
    assert ready.life.run is None
    ready.life.begin("next", RunControl())
    ready.life.observe(RunStatus())
    assert ready.life.run is not None
