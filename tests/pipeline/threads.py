"""Workers that are threads of the test: the supervisor sees what it would see of processes, and nothing is loaded for them."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from engine.runtime.channel import Channel, ChannelClosed, channel_of, channel_pair
from engine.runtime.child_text import text_pipe
from engine.runtime.codec import Codec
from engine.runtime.worker import Worker, WorkerContext


class Killed(Exception):
    """Raised by a body: it is as if its process had been killed here."""


class ThreadProcess:
    """In the place of a process."""

    pid = 1

    def __init__(self, name: str, control: Channel, body: Callable[..., None], arguments: tuple[object, ...]) -> None:
        self.exitcode: int | None = None
        self._channels: list[Channel] = []
        own = [self._own(argument) for argument in arguments]
        self._context = WorkerContext(name, self._own(control))
        self.sentinel, self._alive = os.pipe()
        self._thread = threading.Thread(target=self._run, args=(body, own), daemon=True)
        self._thread.start()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def kill(self) -> None:
        for channel in self._channels:
            channel.hang_up()

    def _own(self, argument: Any) -> Any:
        """Return an argument as another process would have it."""
        if isinstance(argument, dict):
            return {name: self._own(part) for name, part in argument.items()}
        if not isinstance(argument, Channel):
            return argument
        channel = channel_of(socket.socket(fileno=os.dup(argument.fileno())), argument._codec)
        self._channels.append(channel)
        return channel

    def _run(self, body: Callable[..., None], arguments: list[object]) -> None:
        try:
            body(self._context, *arguments)
            self._context.beat(finished=True)
            self.exitcode = 0
        except Killed:
            self.exitcode = -signal.SIGKILL
        except ChannelClosed:
            self.exitcode = 3
        finally:
            for channel in self._channels:
                channel.close()
            os.close(self._alive)


def start_thread(name: str, body: Callable[..., None], *arguments: object, codec: Codec, forked: Sequence[str] = ()) -> Worker:
    """In the place of ``start_worker``."""
    ours, theirs = channel_pair(codec)
    text, printed = text_pipe()
    printed.close()
    process = ThreadProcess(name, theirs, body, arguments)
    theirs.close()
    return Worker(name, process, ours, text)  # type: ignore[arg-type]
