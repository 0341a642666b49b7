"""Starts and stops a real RTSP server (gst-rtsp-server) in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import Clip
from tests.servers.ports import free_port

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("gst_server.py")
PACKAGES = "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"


@dataclass(frozen=True)
class Live:
    """A mount that shows the picture of the moment, as all such mounts do, whose clips take the same number of whole seconds
    and have a key frame each second."""

    clip: Clip
    delay_seconds: float = 0.0
    """From taking a picture to sending it."""


@cache
def why_not() -> str:
    """Return why the server cannot run here, empty where it can."""
    if not Path(PYTHON).exists():
        return f"{PYTHON} is missing"
    check = subprocess.run([PYTHON, str(SCRIPT), "--check"], capture_output=True, timeout=PATIENCE_SECONDS)
    return "" if check.returncode == 0 else f"install {PACKAGES}"


def require_gst() -> None:
    """Skip the test where gst-rtsp-server is missing; fail it where FAIL_WITHOUT_RTSP=1 says that it must be there."""
    if reason := why_not():
        (pytest.fail if os.environ.get("FAIL_WITHOUT_RTSP") == "1" else pytest.skip)(f"needs gst-rtsp-server: {reason}")


class GstServer:
    """gst-rtsp-server with mounts that loop for ever in real time; TCP and UDP, with RTCP sender reports.

    Each client gets the clip from its first picture; with ``shared`` all see the same pictures, as on a camera.
    """

    def __init__(
        self,
        mounts: Mapping[str, Clip | Live | Literal["audio"]],
        *,
        user: str = "",
        password: str = "",
        auth: Literal["basic", "digest"] = "digest",
        shared: bool = False,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.port = port or free_port(host)
        """The port; the same over restarts."""
        self._order = {
            "mounts": {f"/{name.lstrip('/')}": _mount(clip) for name, clip in mounts.items()},
            "user": user,
            "password": password,
            "auth": auth,
            "shared": shared,
            "host": host,
        }
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> GstServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until the port is bound; skips the test where the server is not installed."""
        require_gst()
        if self._process is not None:
            raise RuntimeError("the server runs already")
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([PYTHON, str(SCRIPT)], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.port = self._ask(json.dumps(self._order | {"port": self.port}), "port")

    def stop(self) -> None:
        """Ask the server to end, and wait; clients see their connections closed. Nothing happens where it does not run."""
        self._end(lambda process: process.stdin and process.stdin.close())

    def kill(self) -> None:
        """SIGKILL, as a camera that loses power (but the kernel still closes its connections)."""
        self._end(lambda process: process.kill())

    def restart(self) -> None:
        """Kill, and start again on the same port."""
        self.kill()
        self.start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's process, to stop it with SIGSTOP for a camera that hangs."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def sessions(self) -> int:
        """RTSP sessions that are open now."""
        return self._ask("sessions", "sessions")

    def wait_for_sessions(self, count: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until so many sessions are open.

        Raises:
            TimeoutError: it did not come to that within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while (now := self.sessions()) != count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{now} sessions are open after {seconds:g} s, not {count}")
            time.sleep(0.01)

    def url(self, mount: str, credentials: str = "") -> str:
        """``rtsp://…`` of a mount; ``credentials`` as ``user:password``."""
        return f"rtsp://{credentials}{'@' if credentials else ''}{self.host}:{self.port}/{mount.lstrip('/')}"

    def _ask(self, line: str, word: str) -> int:
        """Write a line, and return the number of the answer."""
        process = self._process
        assert process is not None, "the server does not run"
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
        watchdog.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline().split()
        finally:
            watchdog.cancel()
            watchdog.join()
        if len(answer) != 2 or answer[0] != word:
            process.kill()
            said = process.stderr.read() if process.stderr else ""
            self.kill()
            raise RuntimeError(f"gst-rtsp-server did not answer: {said}")
        return int(answer[1])

    def _end(self, how: Callable[[subprocess.Popen[str]], object]) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        how(process)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


def _mount(clip: Clip | Live | Literal["audio"]) -> dict[str, object]:
    if clip == "audio":
        return {"codec": "audio"}
    if isinstance(clip, Live):
        return _mount(clip.clip) | {"live": True, "delay_seconds": clip.delay_seconds}
    assert isinstance(clip, Clip)
    return {"path": str(clip.path), "codec": clip.codec, "fps": clip.fps}
