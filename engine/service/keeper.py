"""What happens beside the runs, about once a second: the service manager is told, the web process kept, readiness tested."""

from __future__ import annotations

import platform
import threading
import time
from typing import Protocol

import msgspec

from engine.errors import error_words
from engine.service.build import Parts
from engine.service.expiry import RunExpiry
from engine.service.life import SILENT_SECONDS, Readiness
from engine.service.notify import ServiceManager
from engine.service.refusal import Refusal
from engine.service.task_messages import SelfTested, SelfTestTask
from engine.service.tasks import Tasks
from engine.service.web_process import WebProcess
from engine.words.seldom import Seldom

_TURN_SECONDS = 1.0
_SELF_TEST_SECONDS, _RETRY_SECONDS = 3600.0, 60.0
_SELF_TEST_LIMIT_SECONDS = 120.0


class Says(Protocol):
    """Where it says what happens."""

    def warn(self, sentence: str) -> None:
        """Say what should not be."""

    def say(self, sentence: str) -> None:
        """Say what is good to know."""


class Keeper:
    """Works from construction to ``close``.

    Args:
        parts: of the service.
        says: is told what happens.
    """

    def __init__(self, parts: Parts, says: Says) -> None:
        self._parts, self._says = parts, says
        self._manager = ServiceManager()
        self._is_ready_told = False
        self._over = threading.Event()
        self._next_test = 0.0
        self._testing: threading.Thread | None = None
        self._tasks = Tasks(says.warn)  # its own: whoever enrols does not wait for a test
        self._seldom = Seldom(says.warn)
        self._expiry = RunExpiry(parts.directory.runs, lambda: parts.life.config.output, self._tasks, says)
        self._web = WebProcess(web_settings(parts), says.warn) if parts.config.serve.http else None
        self._thread = threading.Thread(target=self._work, name="keeper", daemon=True)
        self._thread.start()

    def stopping(self) -> None:
        """The service ends."""
        self._manager.stopping()

    def close(self) -> None:
        """End what was started here."""
        self._over.set()
        self._thread.join(10.0)

    def _work(self) -> None:
        pause = min(_TURN_SECONDS, self._manager.watchdog_seconds / 3 or _TURN_SECONDS)
        try:
            while not self._over.wait(pause):
                try:
                    self._turn()
                except Exception as error:  # without this thread there would be no web process, and no watchdog
                    self._seldom.say("turn", f"a background task of the service failed: {error_words(error)}")
        finally:
            self._tasks.close()
            if self._web is not None:
                self._web.close()

    def _turn(self) -> None:
        self._tell_manager()
        if self._web is not None:
            self._web.check()
            life, address = self._parts.life, self._parts.config.serve.http
            life.web = self._web.worker
            life.web_fault = f"the console does not answer at {address}: the log says why" if self._web.is_missed else ""
        self._test_when_due()
        self._expiry.check()

    def _tell_manager(self) -> None:
        life = self._parts.life
        if life.run is not None and not self._is_ready_told:
            self._is_ready_told = True
            self._manager.ready("all workers are ready")
        if life.silent_seconds < SILENT_SECONDS:  # also between two runs, and while the first one begins
            self._manager.alive()

    def _test_when_due(self) -> None:
        life, now = self._parts.life, time.monotonic()
        if life.wants_self_test.is_set():
            life.wants_self_test.clear()
            self._next_test = now
        busy = self._testing is not None and self._testing.is_alive()
        if life.run is None or busy or now < self._next_test:
            return
        self._next_test = now + _SELF_TEST_SECONDS
        self._testing = threading.Thread(target=self._test, name="self-test", daemon=True)
        self._testing.start()

    def _test(self) -> None:
        life, before = self._parts.life, self._parts.life.readiness
        config = life.config
        task = SelfTestTask(
            detect=config.detect,
            verify=config.verify,
            generator=config.super_resolve.generator,
            strength=config.super_resolve.strength,
        )
        try:
            found = self._tasks.run(task, SelfTested, _SELF_TEST_LIMIT_SECONDS)
        except Refusal as refusal:
            self._next_test = time.monotonic() + _RETRY_SECONDS
            if self._over.is_set():
                return
            life.readiness = Readiness(False, refusal.problem.message)
            self._says.warn(f"the self-test has failed: {refusal.problem.message}")
            return
        life.readiness, life.models = Readiness(True, found.detail), found.models
        if not before.ok:
            self._says.say(f"the service is ready: {found.detail}")


def web_settings(parts: Parts) -> str:
    """Return what the web process is given."""
    serve, fleet, directory = parts.config.serve, parts.config.fleet, parts.directory
    tap = directory.tap
    told = {
        "control": directory.web,
        "tap": tap.messages,
        "previews": tap.previews,
        "directory": str(directory.path),
        "http": serve.http_settings,
        "fleet_database": fleet.database,
        "fleet_node": fleet.node or platform.node(),
    }
    return msgspec.json.encode(told).decode()
