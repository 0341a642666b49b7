"""A worker that is connected to the process of a device: what it has opened, and the answers that it has not taken yet."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import SimpleQueue

from msgspec import Struct

from engine.runtime.channel import Channel, ChannelClosed
from engine.sessions.session import SessionSpec


class Caller:
    """Its answers go out in a thread: whoever does not read them, as a worker that hangs, holds up no other.

    Args:
        channel: to the worker; belongs to this now.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._answers: SimpleQueue[Struct | None] = SimpleQueue()
        self.models: dict[int, SessionSpec] = {}
        """By the ticket that opened them."""
        self._thread = threading.Thread(target=self._send, name="answers", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._channel.fileno()

    def receive(self) -> Struct:
        """Return its next question.

        Raises:
            ChannelClosed: it is gone.
        """
        question: Struct = self._channel.receive()
        return question

    def answer(self, message: Struct) -> None:
        """Let it have an answer as soon as it takes it; returns at once."""
        self._answers.put(message)

    def close(self) -> None:
        """Hang up; what it has not taken is lost."""
        self._answers.put(None)
        self._channel.hang_up()
        self._thread.join()
        self._channel.close()

    def _send(self) -> None:
        with suppress(ChannelClosed):
            while (message := self._answers.get()) is not None:
                self._channel.send(message)
