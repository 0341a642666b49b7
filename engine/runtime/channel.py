"""Pipes between the processes of a run: typed messages, back-pressure, and an end that is noticed when the peer dies."""

from __future__ import annotations

import multiprocessing as mp
import os
import select
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from typing import Protocol, TypeVar

import msgspec

from engine.contracts.links import AnyLink, decode_link, encode_link
from engine.errors import WorkerError

SPAWN = mp.get_context("spawn")
_WAITING_SECONDS = 0.5
_LENGTH = struct.Struct("!i")
"""Before each message: the format of ``multiprocessing.connection``, up to 2 GiB."""
_ROOM_BYTES = 1 << 16
"""Linux calls a local socket writable when three quarters of its buffer, over 150 KiB, are free."""


class ChannelClosed(WorkerError):
    """The process at the other end is gone."""


class Channel:
    """One end of a duplex pipe. It may be handed to a child process when that is started, and used by one thread only.

    ``send`` blocks while the pipe is full: that is the back-pressure. The pipe has no name, so that nothing is left behind.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, link: msgspec.Struct, waiting: Callable[[], None] | None = None) -> None:
        """Send one message of ``engine.contracts.links``.

        Args:
            link: the message.
            waiting: called every half second while the pipe is full: a worker whose reader is late still lives.

        Raises:
            ChannelClosed: nobody will read it.
        """
        content = encode_link(link)
        try:
            if waiting is None:
                self._connection.send_bytes(content)
            else:
                self._send_slowly(content, waiting)
        except (BrokenPipeError, ConnectionResetError, OSError) as error:
            raise ChannelClosed("the worker at the other end of a channel is gone") from error

    def _send_slowly(self, content: bytes, waiting: Callable[[], None]) -> None:
        """Write what ``Connection.send_bytes`` would, but never more at once than there is room for."""
        rest = memoryview(_LENGTH.pack(len(content)) + content)
        while rest:
            while not self.has_room(_WAITING_SECONDS):
                waiting()
            rest = rest[os.write(self._connection.fileno(), rest[:_ROOM_BYTES]) :]

    def confirm(self, link: msgspec.Struct) -> None:
        """Send an answer that a peer which has said its last word no longer needs: whether it is gone, only ``receive`` tells,
        after everything that it had sent."""
        with suppress(ChannelClosed):
            self.send(link)

    def receive(self) -> AnyLink:
        """Return the next message, waiting for it.

        Raises:
            ChannelClosed: the other end is closed and everything that was sent has been read.
        """
        try:
            link: AnyLink = decode_link(self._connection.recv_bytes())
            return link
        except (EOFError, ConnectionResetError, OSError) as error:
            raise ChannelClosed("the worker at the other end of a channel is gone") from error

    def has_message(self, timeout_seconds: float = 0.0) -> bool:
        """Tell whether ``receive`` would return, or raise, at once."""
        try:
            return self._connection.poll(timeout_seconds)
        except (BrokenPipeError, OSError):
            return True

    def has_room(self, timeout_seconds: float = 0.0) -> bool:
        """Tell whether ``send`` of a message under 64 KiB would return, or raise, at once."""
        poller = select.poll()
        poller.register(self._connection.fileno(), select.POLLOUT)
        return bool(poller.poll(timeout_seconds * 1000))

    def send_channel(self, link: msgspec.Struct, channel: Channel, process_id: int) -> None:
        """Send a message and, behind it, one end of another pipe to a process that runs already; ours is closed.

        Raises:
            ChannelClosed: nobody will read it.
        """
        self.send(link)
        try:
            reduction.send_handle(self._connection, channel.fileno(), process_id)
        except OSError as error:
            raise ChannelClosed("the worker at the other end of a channel is gone") from error
        finally:
            channel.close()

    def receive_channel(self) -> Channel:
        """Return the end of a pipe that ``send_channel`` sent behind the message just received.

        Raises:
            ChannelClosed: the sender died in between.
        """
        try:
            return Channel(Connection(reduction.recv_handle(self._connection)))
        except (EOFError, OSError, RuntimeError) as error:
            raise ChannelClosed("the worker at the other end of a channel is gone") from error

    def fileno(self) -> int:
        return self._connection.fileno()

    def close(self) -> None:
        """Close this end; may be called again."""
        self._connection.close()


def channel_pair() -> tuple[Channel, Channel]:
    """Return the two ends of a new pipe."""
    a, b = SPAWN.Pipe(duplex=True)
    return Channel(a), Channel(b)


class Waitable(Protocol):
    """A channel, or another thing whose file descriptor becomes readable when there is something to do."""

    def fileno(self) -> int: ...


Awaited = TypeVar("Awaited", bound=Waitable)


def wait_for_any(sources: Iterable[Awaited], timeout_seconds: float | None) -> list[Awaited]:
    """Return those that have a message or are closed; an empty list after the time-out."""
    by_handle = {source.fileno(): source for source in sources}
    return [by_handle[handle] for handle in wait(list(by_handle), timeout_seconds) if isinstance(handle, int)]
