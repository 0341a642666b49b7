"""How the service lives: its present run, what that has said last, and whether another one is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.config import Config
from engine.contracts.tap import Tap
from engine.control.answers import Worker
from engine.pipeline.control import RunControl
from engine.pipeline.status import RunStatus

SILENT_SECONDS = 15.0
"""A run that has said nothing for so long is taken for one that hangs; its workers are watched more closely."""


@dataclass(frozen=True)
class Readiness:
    """What the self-test said last."""

    ok: bool = False
    detail: str = "the self-test has not run yet"


class Life:
    """Any thread may ask and tell.

    Args:
        config: the first one.
        tap: where the web process reads.
    """

    def __init__(self, config: Config, tap: Tap) -> None:
        self.config = config
        self.tap = tap
        self.readiness = Readiness()
        self.models: dict[str, str] = {}
        self.started = time.monotonic()
        self.run_id = ""
        self.stopping = ""
        """Why the service ends; empty: it goes on."""
        self.web: Worker | None = None
        """The web process; None: none is wanted, or it is not begun yet."""
        self.web_fault = ""
        """Why it does not answer, though it should."""
        self.wants_self_test = threading.Event()
        self.on_gone: Callable[[], None] = lambda: None
        """Is called, by any thread, when ``may_read`` has become false of some camera."""
        self._run: RunStatus | None = None
        self._observed = self.started
        self._control: RunControl | None = None
        self._lock = threading.Lock()

    @property
    def run(self) -> RunStatus | None:
        """What the present run has said last; None: there is none, or its workers are not ready yet."""
        return self._run

    def may_read(self, name: str) -> bool:
        """Whether something of a camera of this name may still be sent, or may be before long."""
        control = self._control
        return control is not None and control.may_read(name)

    @property
    def silent_seconds(self) -> float:
        """For how long the present run has said nothing; 0 where there is none."""
        return time.monotonic() - self._observed if self._run is not None else 0.0

    @property
    def state(self) -> Literal["starting", "running", "stopping"]:
        return "stopping" if self.stopping else "running" if self._run is not None else "starting"

    def begin(self, run_id: str, control: RunControl) -> None:
        """A run begins."""
        with self._lock:
            self.run_id, self._run, self._control = run_id, None, control
            control.on_gone = lambda: self.on_gone()
            if self.stopping:
                control.end(self.stopping)

    def run_is_over(self) -> None:
        """There is no run until the next one begins."""
        with self._lock:
            self._run = self._control = None
        self.on_gone()

    def observe(self, status: RunStatus) -> None:
        """Take the newest status of the run; what comes when it is over is no news."""
        with self._lock:
            if self._control is None:
                return
            if self._run is None:
                self.wants_self_test.set()
            self._observed = time.monotonic()
            self._run = status

    def begin_anew(self, config: Config) -> None:
        """End the run, and let the next one have another configuration."""
        with self._lock:
            self.config = config
            if self._control is not None:
                self._control.end("the settings were changed")

    def stop(self, why: str) -> None:
        """End the run, and the service with it."""
        with self._lock:
            self.stopping = self.stopping or why
            if self._control is not None:
                self._control.end(why)
