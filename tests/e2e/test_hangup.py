"""A terminal that is closed while a run goes on."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Clip
from tests.e2e.processes import QUICK, assert_nothing_left, children_of
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.e2e


def test_closing_the_terminal_drains(clip: Clip, tmp_path: Path):
    """SIGHUP killed all processes of the run at once: tracks that were open were lost, and there was no report."""
    out = tmp_path / "out"
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "engine", "run", "--source", str(clip.video), "--out", str(out), *QUICK]
    process = subprocess.Popen(
        [*command, "--generator", "bicubic", "--realtime"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    os.set_blocking(master, False)

    def is_live() -> bool:
        with suppress(BlockingIOError):
            os.read(master, 1 << 16)  # a terminal that nobody reads would hold it back
        path = out / "stream.jsonl"
        return path.exists() and '"live"' in path.read_text(encoding="utf-8")

    until(is_live)
    workers = children_of(process.pid)
    os.close(master)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["outcome"] == "drained"
    assert (out / "report.html").exists()
    assert_nothing_left({name: pid for name, pid in workers.items() if name.startswith("fs-")})
