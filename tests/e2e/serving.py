"""``facestream serve`` as a process, and a client of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from engine.control.answers import Status, Stream, Streams
from engine.control.client import ControlClient, ControlError, NoServiceError
from engine.control.verbs import GetStatus, ListStreams
from engine.service.directory import control_endpoint
from tests.e2e.started import Started
from tests.patience import PATIENCE_SECONDS
from tests.processes import bound

CONFIG = """
serve: {{directory: "{state}", cameras_in: [loopback], http: "{http}", record: {record}}}
detect: {{{detect}}}
crop: {{policy: {policy}}}
super_resolve: {{generator: none, workers: 1}}
verify: {{embedder: none}}
{more}
"""


class Serving(Started):
    """A service in a folder; killed at the end of a ``with`` if it still runs.

    Args:
        folder: its configuration, its state and what it prints lie there.
        more: further sections of the configuration.
        record: whether runs are recorded.
        detect, policy: keys of ``detect``, and ``crop.policy``.
        http: ``serve.http``.
    """

    def __init__(
        self,
        folder: Path,
        more: str = "",
        *,
        record: bool = False,
        detect: str = "every: 5",
        policy: str = "best",
        http: str = "",
    ) -> None:
        self.state = folder / "state"
        self.config, self._said = folder / "service.yaml", folder / "said"
        settings = {"record": str(record).lower(), "detect": detect, "policy": policy, "http": http, "more": more}
        self.config.write_text(CONFIG.format(state=self.state, **settings))
        self.client = ControlClient(control_endpoint(self.state))
        self.process = self.start()

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.close()
        self.end()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, again after its end."""
        with self._said.open("a", encoding="utf-8") as said:
            command = [sys.executable, "-m", "engine", "serve", str(self.config)]
            self.process = subprocess.Popen(bound(command), stdout=said, stderr=said)
        return self.process

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def streams(self) -> dict[str, Stream]:
        """Return all cameras, by name."""
        return {one.name: one for one in self.client.call(ListStreams(), Streams).streams}

    def status(self) -> Status:
        """Return how it stands."""
        return self.client.call(GetStatus(), Status)

    def wait(self, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something holds."""
        until = time.monotonic() + seconds
        while not self._holds(condition):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.05)  # leaves the processor to it; the deadline decides

    @staticmethod
    def _holds(condition: Callable[[], object]) -> bool:
        try:
            return bool(condition())
        except (NoServiceError, ControlError):
            return False
