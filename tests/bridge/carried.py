"""A bridge in a process of its own, and what a consumer of the broker's stream reads."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from tests.patience import PATIENCE_SECONDS
from tests.processes import bound
from tests.publish.samples import environment
from tests.servers.nats import jetstream_of

_LOOK_SECONDS = 10.0


class BridgeProcess:
    """``facestream bridge``, which can be killed and started again."""

    def __init__(self, endpoint: str, url: str, folder: Path, *options: str) -> None:
        self.command = [
            sys.executable,
            "-m",
            "engine",
            "bridge",
            "--from",
            endpoint,
            "--to",
            url,
            "--buffer",
            str(folder),
            "--json",
        ]
        self.command += options
        self.status: dict[str, Any] = {}
        self.said: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def stored(self) -> int:
        """Messages of which the broker has said that it has them, to this process: now, or already."""
        return self.status.get("published", 0) + self.status.get("repeated", 0)

    def start(self) -> None:
        self._process = subprocess.Popen(
            bound(self.command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.status = {}
        self._readers = [
            threading.Thread(target=self._read_status, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_words, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._ended()

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._ended()

    def _ended(self) -> int:
        process = self._process
        assert process is not None
        code = process.wait(PATIENCE_SECONDS)
        for reader in self._readers:
            reader.join(PATIENCE_SECONDS)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        self._process = None
        return code

    def __enter__(self) -> BridgeProcess:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self.kill()

    def _read_status(self, lines: Any) -> None:
        for line in lines:
            with suppress(ValueError):  # half a line of a kill
                self.status = json.loads(line)

    def _read_words(self, lines: Any) -> None:
        for line in lines:
            self.said.append(line.rstrip())


def read_stream(url: str, name: str = "facestream-site", *, headers_only: bool = False, **options: Any) -> list[Msg]:
    """Return all that is in a stream, in its order."""

    async def read() -> list[Msg]:
        async with jetstream_of(url, **options) as stream:
            total = (await stream.stream_info(name)).state.messages
            consumer = ConsumerConfig(ack_policy=AckPolicy.NONE, headers_only=headers_only)
            reading = await stream.pull_subscribe("facestream.>", stream=name, config=consumer)
            found: list[Msg] = []
            while len(found) < total:  # what came too late for one question would be counted as read
                found += await reading.fetch(min(200, total - len(found)), timeout=PATIENCE_SECONDS)
            return found

    return asyncio.run(asyncio.wait_for(read(), 2 * PATIENCE_SECONDS))


def has_end(url: str, prefix: str = "site") -> bool:
    """Whether the end of a run has come to the broker's stream."""

    async def look() -> bool:
        async with jetstream_of(url) as stream:
            try:
                await stream.get_last_msg(f"facestream-{prefix}", f"facestream.{prefix}.v1.end")
            except NotFoundError:
                return False
        return True

    try:
        return asyncio.run(asyncio.wait_for(look(), _LOOK_SECONDS))
    except TimeoutError:  # a question is never answered whose connection the broker has ended
        return False


def stored_ids(messages: Sequence[Msg]) -> Counter[str]:
    """Return how often each message is there."""
    return Counter((message.headers or {})["Nats-Msg-Id"] for message in messages)
