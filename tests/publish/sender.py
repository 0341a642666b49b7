"""A publisher in a process of its own, which sends faces of cameras at a steady rate.

Usage: python -m tests.publish.sender '{"endpoint": "tcp://...", "rate": 200, ...}'. The first line on standard output holds its
endpoints; with ``count`` an end follows so many faces. Each line on standard input is answered with what it has sent and how
much memory it holds; ends with its input.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import zmq
from msgspec.structs import replace

from engine.config import PublishConfig
from engine.contracts.faces import FaceResult
from engine.contracts.messages import Part
from engine.publish.publisher import Publisher
from tests.publish.samples import end, environment, face


def main() -> None:
    options = json.loads(sys.argv[1])
    rate, size = options.pop("rate", 200), options.pop("bytes", 6_000)
    run_id, live = options.pop("run_id", "run1"), options.pop("live", True)
    streams, left = options.pop("streams", [options.pop("stream", "cam1")]), options.pop("count", None)
    context = zmq.Context()
    publisher = Publisher(PublishConfig(**options), run_id, context, live=live)
    _say({"endpoint": publisher.bound_endpoint, "replay": publisher.bound_replay, "pid": os.getpid()})
    faces = itertools.cycle([_face_of(stream, size, live) for stream in streams])
    due = time.perf_counter()
    late_ms = 0.0
    while True:
        wait_seconds = due - time.perf_counter()
        if select.select([sys.stdin], [], [], max(0.0, min(wait_seconds, 0.05)))[0]:
            if not sys.stdin.readline():
                break
            _say({"rss_kb": _rss_kb(), "late_ms": late_ms, "topics": publisher.subscriptions, **publisher.counters})
            late_ms = 0.0
        publisher.poll()
        if left == 0:  # all faces that were asked for: replay goes on
            left = -1
            publisher.send(end(), [])
        elif left != -1 and time.perf_counter() >= due:
            left = left and left - 1
            message, payloads = next(faces)
            publisher.send(_now(message), payloads)
            late_ms = max(late_ms, 1000 * (time.perf_counter() - due))
            due = max(due + 1 / rate, time.perf_counter() - 0.1)
    publisher.close()
    context.term()


def _face_of(stream: str, size_bytes: int, live: bool):
    message, _ = face(stream)
    payload = os.urandom(size_bytes)
    part = Part("enhanced", "jpeg", (128, 128, 3), "uint8", hashlib.sha256(payload).hexdigest())
    return replace(message, parts=[part], face=replace(message.face, live=live)), [payload]


def _now(result: FaceResult) -> FaceResult:
    time_now = replace(result.face.time, captured_ns=time.time_ns())
    return replace(result, face=replace(result.face, time=time_now))


def _say(what: dict) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _rss_kb() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


class Sender:
    """The other side of that process."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.facts = json.loads(process.stdout.readline())

    @property
    def endpoint(self) -> str:
        return self.facts["endpoint"]

    @property
    def address(self) -> tuple[str, int]:
        """Of a tcp endpoint."""
        host, _, port = self.endpoint.removeprefix("tcp://").rpartition(":")
        return host, int(port)

    def status(self) -> dict:
        """Return what it has sent and holds now; an answer is also the proof that it goes on."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the publisher is gone"
        return json.loads(line)


@contextmanager
def sending(**options):
    """Yield a running Sender; it is killed at the end."""
    command = [sys.executable, "-m", "tests.publish.sender", json.dumps({"endpoint": "tcp://127.0.0.1:*"} | options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        try:
            yield Sender(process)
        finally:
            process.kill()
            process.stdin.close()


if __name__ == "__main__":
    main()
