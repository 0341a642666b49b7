"""The web process beside the service: started, replaced when it dies, and ended with it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from engine.control.answers import Worker

_MODULE = "engine.web.process"
_NEEDED = ("starlette", "uvicorn")
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STABLE_SECONDS = 60.0
_END_SECONDS = 3.0
BAD_SETTINGS = 2
"""The exit code of a web process that would end again in the same way."""
_READ_BYTES = 4096


class WebProcess:
    """For one thread, with which it dies: the kernel ends a child when the thread that started it ends.

    Args:
        settings: JSON without a secret, its argument.
        warn: is told when it dies, or cannot be there.
        command: what runs, for tests.
    """

    def __init__(self, settings: str, warn: Callable[[str], None], command: list[str] | None = None) -> None:
        self._warn = warn
        self._command = command or [sys.executable, "-m", "engine.runtime.bond", _MODULE, settings]
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = self._restarts = 0
        self._next = 0.0
        self._given_up = False
        self.is_missed = True
        """It should answer, and does not (yet): it has not come to listen, or cannot. Not where its packages are missing."""
        if command is None and (missing := _missing()):
            self._given_up, self.is_missed = True, False
            warn(
                f"there is no console and no HTTP interface: {missing} not installed (`pip install 'facestream[serve]'`); "
                "`facestream ctl` works without it"
            )

    @property
    def worker(self) -> Worker:
        """How it stands; without a process number where there is none."""
        pid = self._child.pid if self._child is not None and self._child.poll() is None else 0
        return Worker(name="web", alive=pid > 0, restarts=self._restarts, pid=pid)

    def check(self) -> None:
        """Start it where it is not there; call it about once a second."""
        now = time.monotonic()
        if self._given_up:
            return
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                self._hear()
                return
            self._bury(code, now)
        if now >= self._next and not self._given_up:
            self._start(now)

    def close(self) -> None:
        """End it."""
        self._given_up = True
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._forget()

    def _hear(self) -> None:
        """The first thing that it writes, it writes when it listens."""
        assert self._child is not None
        assert self._child.stdout is not None
        with suppress(BlockingIOError):
            self.is_missed = not os.read(self._child.stdout.fileno(), _READ_BYTES) and self.is_missed

    def _forget(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        self._child.stdout.close()
        self._child, self.is_missed = None, True

    def _bury(self, code: int, now: float) -> None:
        self._forget()
        if code == BAD_SETTINGS:
            self._given_up = True
            self._warn("the web process cannot run as configured, see its messages above; `facestream ctl` works without it")
            return
        if now - self._started > _STABLE_SECONDS:
            self._deaths = 0
        pause = _PAUSES[min(self._deaths, len(_PAUSES) - 1)]
        self._deaths += 1
        self._restarts += 1
        self._next = now + pause
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        self._warn(f"the web process ended {how}; another one is started in {pause:g} s")

    def _start(self, now: float) -> None:
        path = os.pathsep.join(one or os.getcwd() for one in sys.path)
        try:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": path},
                start_new_session=True,
            )
        except OSError as error:
            self._next = now + _PAUSES[-1]
            self._warn(f"the web process cannot be started: {error.strerror}")
            return
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        self._started = now


def _missing() -> str:
    names = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if not names and importlib.util.find_spec(_MODULE) is None:
        return "the web process is"
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'}" if names else ""
