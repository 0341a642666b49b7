"""What stands beside the runs: the service manager and the web process."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from engine.service.keeper import web_settings
from engine.service.notify import ServiceManager
from engine.service.web_process import BAD_SETTINGS, WebProcess
from tests.service.parts import service_in


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    address = f"@facestream-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + address[1:] if abstract else address)
        ear.settimeout(5.0)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        manager = ServiceManager()
        assert manager.watchdog_seconds == 3.0
        assert "NOTIFY_SOCKET" not in os.environ, "no child may speak for the service"
        manager.ready("all workers are ready")
        manager.alive()
        manager.stopping()
        assert [ear.recv(200) for _ in range(3)] == [b"READY=1\nSTATUS=all workers are ready", b"WATCHDOG=1", b"STOPPING=1"]


def test_without_one_nothing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    ServiceManager().ready("x")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    manager = ServiceManager()
    manager.ready("x")
    assert manager.watchdog_seconds == 0.0, "that of another process"


def test_the_web_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.web_process._PAUSES", (0.0,))
    said: list[str] = []
    web = WebProcess("{}", said.append, [sys.executable, "-c", "import signal; signal.pause()"])
    try:
        web.check()
        first = web.worker.pid
        os.kill(first, signal.SIGKILL)
        while web.worker.pid in (first, 0):
            web.check()
        assert said == ["the web process ended by signal 9; another one is started in 0 s"]
        assert (web.worker.alive, web.worker.restarts) == (True, 1)
        second = web.worker.pid
    finally:
        web.close()
    assert not Path(f"/proc/{second}").exists()


def test_one_that_cannot_work_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.web_process._PAUSES", (0.0,))
    said: list[str] = []
    web = WebProcess("{}", said.append, [sys.executable, "-c", f"import sys; sys.exit({BAD_SETTINGS})"])
    while not said:
        web.check()
    web.check()
    assert (web.worker.alive, web.worker.pid) == (False, 0)
    assert "cannot run as configured" in said[0]
    web.close()


@pytest.mark.parametrize("listens", [True, False])
def test_it_is_missed_where_it_does_not_listen(*, listens: bool) -> None:
    """Another program may have its port: it lives, and waits."""
    program = "import signal; " + "print('listening', flush=True); " * listens + "signal.pause()"
    web = WebProcess("{}", lambda words: None, [sys.executable, "-c", program])
    assert web.is_missed
    web.check()
    assert web._child
    if listens:
        assert select.select([web._child.stdout], [], [], 60.0)[0]
    web.check()
    assert (web.worker.alive, web.is_missed) == (True, not listens)
    web._child.kill()
    web._child.wait()
    web.check()
    assert web.is_missed
    web.close()


def test_without_its_packages_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said: list[str] = []
    web = WebProcess("{}", said.append)
    web.check()
    web.check()
    assert len(said) == 1
    assert not web.is_missed, "as `ctl` works without"
    assert "starlette and uvicorn are not installed (`pip install 'facestream[serve]'`)" in said[0]
    web.close()


def test_one_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else name)
    said: list[str] = []
    WebProcess("{}", said.append).close()
    assert ": uvicorn is not installed (" in said[0]


def test_what_the_web_process_is_given_holds_no_secret(tmp_path: Path) -> None:
    with service_in(tmp_path) as parts:
        told = msgspec.json.decode(web_settings(parts))
        assert told["control"] == parts.directory.web
        assert told["directory"] == str(parts.directory.path)
        assert told["http"]["address"] == ""
