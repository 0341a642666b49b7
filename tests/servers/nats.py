"""Starts a real NATS server with JetStream, Debian's package nats-server, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext

from tests.patience import PATIENCE_SECONDS
from tests.processes import bound
from tests.servers.ports import free_port


def require_nats() -> None:
    """Skip the test where the server is missing; fail it where FAIL_WITHOUT_NATS=1 says that it must be there."""
    if _program() is None:
        (pytest.fail if os.environ.get("FAIL_WITHOUT_NATS") == "1" else pytest.skip)("needs nats-server, Debian's package")


def _program() -> str | None:
    return shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class NatsServer:
    """One server; after ``stop`` or ``kill``, ``start`` brings it back on the same port with what it had stored.

    Args:
        options: of the program, besides.
        host: it listens there, on a free port or ``port``.
        jetstream: whether it stores.
    """

    def __init__(self, *options: str, host: str = "127.0.0.1", port: int = 0, jetstream: bool = True) -> None:
        self.host, self.port, self._options, self._stores = host, port or free_port(host), options, jetstream
        self._folder = tempfile.TemporaryDirectory(prefix="facestream-nats-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://{self.host}:{self.port}"

    def start(self) -> None:
        program = _program()
        assert program is not None
        command = [program, "-a", self.host, "-p", str(self.port), *self._options]
        command += ["-c", str(self._storing())] if self._stores else []
        with (Path(self._folder.name) / "log").open("ab") as log:
            self._process = subprocess.Popen(bound(command), stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with socket.create_connection((self.host, self.port), 1.0):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError((Path(self._folder.name) / "log").read_text(errors="replace"))

    def _storing(self) -> Path:
        """Return a configuration that lets streams reserve more than the disk has left: what tests store is small."""
        config = Path(self._folder.name) / "nats.conf"
        config.write_text(f'jetstream {{store_dir: "{self._folder.name}", max_file_store: 1TB}}\n', encoding="utf-8")
        return config

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it hang, as behind a connection of which only one half is open: it is still connected to."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def __enter__(self) -> NatsServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        self._folder.cleanup()


@asynccontextmanager
async def jetstream_of(url: str, **options: Any) -> AsyncIterator[JetStreamContext]:
    """Yield what a server's streams are asked with, which waits for a busy machine."""
    client = await nats.connect(url, allow_reconnect=False, connect_timeout=PATIENCE_SECONDS, **options)
    try:
        yield client.jetstream(timeout=PATIENCE_SECONDS)
    finally:
        await client.close()
