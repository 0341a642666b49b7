"""A command of the product as a process, killed at the end if it still runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.processes import children_of


class Started:
    """``process`` runs, and prints into ``_said``."""

    process: subprocess.Popen[bytes]
    _said: Path

    def end(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        """What it printed."""
        return self._said.read_text(encoding="utf-8")

    @property
    def workers(self) -> dict[str, int]:
        """Process ids of the run's workers, by the name that the kernel shows."""
        return {name: pid for name, pid in children_of(self.process.pid).items() if name.startswith("fs-")}
