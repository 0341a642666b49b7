"""Starting, draining and dying: nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Clip

pytestmark = pytest.mark.e2e


def start(clip: Clip, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "engine", "run", "--source", str(clip.video), "--out", str(out), "--embedder", "none"]
    return subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def children_of(pid: int) -> dict[str, int]:
    """Worker processes by the name that they gave themselves."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8")
            except OSError:
                continue
            name, rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
            if int(rest[1]) == pid and rest[0] != "Z":
                found[name] = int(entry.name)
    return found


def wait_until(condition, seconds: float = 60.0):
    """Poll for what another process does; returns what the condition returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        os.sched_yield()
    raise AssertionError("it did not happen in time")


def is_working(process: subprocess.Popen[str], out: Path) -> bool:
    """The stream is live: all workers are up and frames flow."""
    assert process.poll() is None, process.stderr.read()
    path = out / "stream.jsonl"
    return path.exists() and '"live"' in path.read_text(encoding="utf-8")


def assert_nothing_left(workers: dict[str, int]) -> None:
    wait_until(lambda: not any(_is_alive(pid) for pid in workers.values()), 20)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(clip: Clip, tmp_path: Path, number: signal.Signals):
    out = tmp_path / "out"
    process = start(clip, out, "--realtime")
    wait_until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    assert {"fs-decode-1", "fs-perceive", "fs-publish"} <= set(workers)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["outcome"] == "drained"
    last = json.loads((out / "stream.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["state"], last["reason"]) == ("ended", "drained")
    assert (out / "report.html").exists()
    assert_nothing_left(workers)


def test_a_second_signal_forces(clip: Clip, tmp_path: Path):
    """A push socket that nobody reads holds the drain back; the second signal does not wait."""
    out = tmp_path / "out"
    process = start(clip, out, "--publish", f"ipc://{tmp_path}/nobody", "--socket", "push", "--every", "5")
    wait_until(lambda: len(children_of(process.pid)) >= 4 and (out / "run.json").exists())
    workers = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # of the same signal, the kernel would keep one for two
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert_nothing_left(workers)


@pytest.mark.parametrize("victim", ["fs-decode-1", "fs-perceive", "fs-enhance-1", "fs-publish"])
def test_a_dead_worker_ends_the_run_with_a_clear_error(clip: Clip, tmp_path: Path, victim: str):
    out = tmp_path / "out"
    process = start(clip, out, "--realtime")
    wait_until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    os.kill(workers[victim], signal.SIGKILL)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert f"the worker {victim.removeprefix('fs-')} was killed by signal SIGKILL" in " ".join(errors.split())
    assert "Traceback" not in errors
    if victim != "fs-publish":
        assert json.loads((out / "run.json").read_text(encoding="utf-8"))["outcome"] == "failed"
    assert_nothing_left(workers)


def test_a_killed_supervisor_takes_its_workers_along(clip: Clip, tmp_path: Path):
    out = tmp_path / "out"
    process = start(clip, out, "--realtime")
    wait_until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    process.kill()
    process.communicate(timeout=30)
    assert_nothing_left(workers)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["outcome"] == "running"
