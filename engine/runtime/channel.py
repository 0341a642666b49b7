"""Pipes between the processes of a run: typed messages, back-pressure, and an end that is noticed when the peer dies."""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Iterable
from multiprocessing.connection import Connection, wait

import msgspec

from engine.contracts.links import AnyLink, decode_link, encode_link
from engine.errors import WorkerError

SPAWN = mp.get_context("spawn")


class ChannelClosed(WorkerError):
    """The process at the other end is gone."""


class Channel:
    """One end of a duplex pipe. It may be handed to a child process when that is started, and used by one thread only.

    ``send`` blocks while the pipe is full: that is the back-pressure. The pipe has no name, so that nothing is left behind.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, link: msgspec.Struct) -> None:
        """Send one message of ``engine.contracts.links``.

        Raises:
            ChannelClosed: nobody will read it.
        """
        try:
            self._connection.send_bytes(encode_link(link))
        except (BrokenPipeError, ConnectionResetError, OSError) as error:
            raise ChannelClosed("the worker at the other end of a channel is gone") from error

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

    def fileno(self) -> int:
        return self._connection.fileno()

    def close(self) -> None:
        """Close this end; may be called again."""
        self._connection.close()


def channel_pair() -> tuple[Channel, Channel]:
    """Return the two ends of a new pipe."""
    a, b = SPAWN.Pipe(duplex=True)
    return Channel(a), Channel(b)


def wait_for_any(channels: Iterable[Channel], timeout_seconds: float | None) -> list[Channel]:
    """Return the channels that have a message or are closed; an empty list after the time-out."""
    by_handle = {channel.fileno(): channel for channel in channels}
    return [by_handle[handle] for handle in wait(list(by_handle), timeout_seconds) if isinstance(handle, int)]
