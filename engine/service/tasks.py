"""Slow and dangerous work in a child that may die: what others sent is decoded there alone.

The child is an interpreter of its own. It gets one task on its standard input, which stays open: when this process dies, the
child sees its end and ends too.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.control.answers import Problem
from engine.service.refusal import Refusal
from engine.service.task_messages import AnyTask, ExpireTask, TaskReply, decode_task_reply, encode_task

MOST_AT_ONCE = 2
LENGTH = struct.Struct("<Q")
_LARGEST_REPLY_BYTES = 64 * 1024 * 1024
_LONGEST_SECONDS, _LONGEST_EXPIRY_SECONDS = 120.0, 300.0
"""Nobody waits for the second."""
Result = TypeVar("Result")


class Tasks:
    """Runs children, at most two at once. Any thread may ask.

    Args:
        warn: is told of children that died.
        command: what runs as the child, for tests.
    """

    def __init__(self, warn: Callable[[str], None], command: list[str] | None = None) -> None:
        self._warn = warn
        self._command = command or [sys.executable, "-m", "engine.service.task"]
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._children: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def run(self, task: AnyTask, wanted: type[Result], seconds: float) -> Result:
        """Let a child do a task.

        Args:
            task: what to do.
            wanted: the kind of result.
            seconds: after which the child is killed.

        Raises:
            Refusal: it was refused or failed, the child died, there was no time, or there are too many.
        """
        if self._closed:
            raise Refusal("stopping", "the service is being stopped: ask again when it runs")
        if not self._room.acquire(blocking=False):
            raise Refusal("busy", f"{MOST_AT_ONCE} requests of this kind are under way, the most allowed: ask again")
        try:
            longest = _LONGEST_EXPIRY_SECONDS if isinstance(task, ExpireTask) else _LONGEST_SECONDS
            reply = self._ask(task, min(seconds, longest))
        finally:
            self._room.release()
        if reply.problem is not None:
            raise Refusal(reply.problem.code, reply.problem.message, reply.problem.field)
        if not isinstance(reply.result, wanted):
            raise Refusal("failed", "the process that does this gave an unexpected answer: restart the service")
        return reply.result

    def close(self) -> None:
        """Kill those that run, and start no more."""
        self._closed = True
        for child in list(self._children):
            child.kill()

    def _ask(self, task: AnyTask, seconds: float) -> TaskReply:
        if seconds <= 0:
            raise Refusal("deadline", "there is no time left for it: ask again, and wait longer")
        content = encode_task(task)
        try:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "PYTHONSAFEPATH": "1",
                    "PYTHONPATH": os.pathsep.join(one or os.getcwd() for one in sys.path),
                },
                start_new_session=True,  # a Ctrl-C in the terminal is for the service
            )
        except OSError as error:
            raise Refusal("failed", f"the process that does this cannot be started: {error.strerror}") from error
        self._children.add(child)
        if self._closed:
            child.kill()
        was_late = threading.Event()

        def end() -> None:
            was_late.set()
            child.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            return self._talk(child, content, was_late)
        finally:
            timer.cancel()
            child.kill()
            child.wait()
            for pipe in filter(None, (child.stdin, child.stdout)):
                with suppress(OSError):
                    pipe.close()
            self._children.discard(child)

    def _talk(self, child: subprocess.Popen[bytes], content: bytes, was_late: threading.Event) -> TaskReply:
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(OSError):  # it died: what it has said, if anything, is read below
            child.stdin.write(LENGTH.pack(len(content)) + content)
            child.stdin.flush()
        head = child.stdout.read(LENGTH.size)
        size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        said = child.stdout.read(size) if 0 < size <= _LARGEST_REPLY_BYTES else b""
        if said and len(said) == size:
            with suppress(*UNREADABLE):
                return decode_task_reply(said)
        if was_late.is_set():
            return TaskReply(problem=Problem(code="deadline", message="it was not done in time: ask again, and wait longer"))
        child.kill()
        code = child.wait()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        self._warn(f"a process that was to {_content_kind(content)} ended {how}")
        sentence = f"the process that does this ended {how}, perhaps because the picture is damaged or malicious: use another"
        return TaskReply(problem=Problem(code="failed", message=sentence))


def _content_kind(content: bytes) -> str:
    """Return what an encoded task is called."""
    kind: str = msgspec.msgpack.decode(content)["task"]
    return kind.replace("_", "-")
