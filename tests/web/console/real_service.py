"""A real service with its web process, for one test: ``facestream serve`` in processes of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import pytest
import yaml

from tests.patience import PATIENCE_SECONDS
from tests.processes import bound

_LINK = re.compile(r"http://\S+/login/\S+")


class RealService:
    """Runs from ``with`` to its end.

    Args:
        folder: its directory, configuration and log lie there.
        **sections: of the configuration.
    """

    def __init__(self, folder: Path, **sections: dict[str, object]) -> None:
        self._said = folder / "said"
        serve = {"directory": str(folder / "state"), "http": "127.0.0.1:0", "cameras_in": ["loopback"]}
        path = folder / "serve.yaml"
        path.write_text(yaml.safe_dump({"serve": serve, **sections}), encoding="utf-8")
        with self._said.open("w", encoding="utf-8") as said:  # a pipe that nobody empties would stop it
            command = [sys.executable, "-m", "engine", "serve", str(path)]
            self.process = subprocess.Popen(bound(command), stdout=said, stderr=said)

    def __enter__(self) -> RealService:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def link(self) -> str:
        """Return the address that lets one browser in, once it is there."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := _LINK.search(self.said)):
            if self.process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the service did not say where its console is:\n{self.said}")
            time.sleep(0.1)
        return found.group()
