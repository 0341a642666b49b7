"""A place to which other processes connect by its address, for as long as whoever made it lives: who answers may change.

The listening socket stays with the process that made it, and each one that answers is given it. So a call that comes while the
one has died and the next has not begun waits in the socket, and needs to know of neither.
"""

from __future__ import annotations

import os
import socket
import struct
from multiprocessing import reduction
from typing import Any

from engine.errors import WorkerError
from engine.runtime.channel import Channel, channel_of
from engine.runtime.codec import Codec

_WAITING_CALLS = 64
_CREDENTIALS = struct.Struct("3i")


class Listener:
    """May be handed to child processes when they are started; Linux only, where the address needs no file."""

    def __init__(self, codec: Codec, end: socket.socket | None = None) -> None:
        if end is None:
            end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            end.bind("")  # the kernel gives it an address
            end.listen(_WAITING_CALLS)
        self._socket, self._codec = end, codec

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self.fileno()), self._codec)

    @property
    def address(self) -> bytes:
        """Where ``connect`` finds it."""
        name = self._socket.getsockname()
        return name if isinstance(name, bytes) else str(name).encode()

    def accept(self) -> Channel | None:
        """Return the channel to the next caller, waiting for one; None where that is not of this user."""
        end, _ = self._socket.accept()
        if not _is_ours(end):
            end.close()
            return None
        return channel_of(end, self._codec)

    def fileno(self) -> int:
        return self._socket.fileno()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more; those who are given it may."""
        self._socket.close()


def connect(address: bytes, codec: Codec) -> Channel:
    """Return a channel to whoever answers at an address, now or later.

    Raises:
        WorkerError: nobody listens there, or another user does.
    """
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.connect(address)
    except OSError as error:
        end.close()
        raise WorkerError(f"the process at {address!r} cannot be reached: {error.strerror}") from error
    if not _is_ours(end):
        end.close()
        raise WorkerError(f"the process at {address!r} belongs to another user")
    return channel_of(end, codec)


def _is_ours(end: socket.socket) -> bool:
    _, user, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return bool(user == os.geteuid())


def _received(handle: Any, codec: Codec) -> Listener:
    return Listener(codec, socket.socket(fileno=handle.detach()))
