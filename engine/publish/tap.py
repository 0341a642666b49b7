"""One socket of a ``Tap``: sends what somebody has asked for, never waits, and costs next to nothing while nobody asks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import zmq

from engine.contracts.envelope import Payload
from engine.publish.endpoint import bind, harden

_SEND_HWM = 256
"""Messages, of some 20 KB, that wait for a reader that has stopped; later ones are lost to it."""
_SUBSCRIPTION_BYTES = 512
_EVENTS_AT_ONCE = 1000
_LEVEL = ord("/")


class TapSocket:
    """A PUB socket that knows what is asked for. For one thread.

    Args:
        context: of the process.
        endpoint: ``ipc://``, in a folder that nobody else may use.

    Raises:
        ConfigError, PublishError: see ``bind``.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> None:
        self._asked: set[bytes] = set()
        """Topics that somebody has asked for: libzmq tells of the first who does, and of the last who leaves."""
        self._socket = context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, _SEND_HWM)
        harden(self._socket, _SUBSCRIPTION_BYTES)
        try:
            self._endpoint = bind(self._socket, endpoint, "the tap")
        except BaseException:
            self._socket.close()
            raise

    def poll(self) -> None:
        """Hear what is asked for, without waiting; call it a few times a second."""
        with suppress(zmq.Again):
            for _ in range(_EVENTS_AT_ONCE):
                event = self._socket.recv(zmq.NOBLOCK)
                if event[:1] == b"\x01":
                    self._asked.add(event[1:])
                elif event[:1] == b"\x00":
                    self._asked.discard(event[1:])

    @property
    def is_heard(self) -> bool:
        """Whether anybody asks for anything."""
        return bool(self._asked)

    def wants(self, topic: str) -> bool:
        """Whether somebody asks for messages of a topic, or of a whole level above it; however many topics are asked for."""
        name = topic.encode()
        ends = [0, *(index + 1 for index, byte in enumerate(name) if byte == _LEVEL)]
        return any(name[:end] in self._asked for end in ends)

    def send(self, frames: Sequence[Payload]) -> None:
        """Give a message to those who ask for it and have room."""
        with suppress(zmq.Again):
            self._socket.send_multipart(frames, zmq.NOBLOCK)

    def remove_socket_file(self) -> None:
        """See ``Publisher.remove_socket_files``."""
        Path(self._endpoint.removeprefix("ipc://")).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the socket; what is queued is lost."""
        self._socket.close(linger=0)
