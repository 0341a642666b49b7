"""Pipes between the processes of a run: typed messages, back-pressure, and an end that is noticed when the peer dies."""

from __future__ import annotations

import select
import socket
import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing import reduction
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np

from engine.errors import WorkerError
from engine.runtime.codec import Codec

_WAITING_SECONDS = 0.5
_HEAD = struct.Struct("!II")
"""Before each message: the bytes of its fields and of its arrays, which follow in this order."""


class ChannelClosed(WorkerError):
    """The process at the other end is gone."""

    def __init__(self) -> None:
        super().__init__("the worker at the other end of a channel is gone")


class _End(socket.socket):
    """Closes itself without a warning when nobody holds it any more."""

    def __del__(self) -> None:
        self.close()


class Channel:
    """One end of a duplex pipe. It may be handed to a child process when that is started, and used by one thread only.

    ``send`` blocks while the pipe is full: that is the back-pressure. The pipe has no name, so that nothing is left behind.
    An array in a message is copied twice on its way: into the kernel, and out of it.
    """

    def __init__(self, end: socket.socket, codec: Codec) -> None:
        self._socket, self._codec = end, codec

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self.fileno()), self._codec)

    def send(self, message: msgspec.Struct, waiting: Callable[[], None] = lambda: None) -> None:
        """Send one message.

        Args:
            message: of the types that the codec knows.
            waiting: called every half second while the pipe is full: a worker whose reader is late still lives.

        Raises:
            ChannelClosed: nobody will read it.
        """
        fields, arrays, array_bytes = self._codec.encode(message)
        pieces = [_HEAD.pack(len(fields), array_bytes) + fields, *arrays]
        try:
            sent = self._send_some(pieces, waiting)
            if sent < len(pieces[0]) + array_bytes:
                self._send_rest(pieces, sent, waiting)
        except (OSError, ValueError) as error:
            raise ChannelClosed from error

    def _send_some(self, pieces: Sequence[Any], waiting: Callable[[], None], beside: Sequence[Any] = ()) -> int:
        """Write as much as there is room for, waiting where there is none; return how many bytes."""
        while True:
            try:
                return self._socket.sendmsg(pieces, beside, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if not self.has_room(_WAITING_SECONDS):
                    waiting()

    def _send_rest(self, pieces: Sequence[Any], sent: int, waiting: Callable[[], None]) -> None:
        rest = [memoryview(piece).cast("B") for piece in pieces]
        while rest:
            while rest and sent >= len(rest[0]):
                sent -= len(rest.pop(0))
            if rest:
                rest[0] = rest[0][sent:]
                sent = self._send_some(rest, waiting)

    def confirm(self, message: msgspec.Struct) -> None:
        """Send an answer that a peer which has said its last word no longer needs: whether it is gone, only ``receive`` tells,
        after everything that it had sent."""
        with suppress(ChannelClosed):
            self.send(message)

    def receive(self) -> Any:
        """Return the next message, waiting for it; its arrays are its own.

        Raises:
            ChannelClosed: the other end is closed and everything that was sent has been read.
        """
        try:
            head = self._socket.recv(_HEAD.size, socket.MSG_WAITALL)
            if len(head) < _HEAD.size:
                raise ChannelClosed
            fields, arrays = _HEAD.unpack(head)
            content = self._read(fields + arrays)
        except OSError as error:
            raise ChannelClosed from error
        return self._codec.decode(content[:fields], content[fields:])

    def _read(self, length: int) -> memoryview:
        content = np.empty(length, np.uint8).data
        done = 0
        while done < length:
            count = self._socket.recv_into(content[done:] if done else content, length - done, socket.MSG_WAITALL)
            if not count:
                raise ChannelClosed
            done += count
        return content

    def has_message(self, timeout_seconds: float = 0.0) -> bool:
        """Tell whether ``receive`` would return, or raise, at once."""
        return self._is(select.POLLIN, timeout_seconds)

    def has_room(self, timeout_seconds: float = 0.0) -> bool:
        """Tell whether ``send`` of a small message would return, or raise, at once."""
        return self._is(select.POLLOUT, timeout_seconds)

    def _is(self, what: int, timeout_seconds: float) -> bool:
        if self._socket.fileno() < 0:
            return True
        poller = select.poll()
        poller.register(self._socket.fileno(), what)
        return bool(poller.poll(timeout_seconds * 1000))

    def send_channel(self, message: msgspec.Struct, channel: Channel, waiting: Callable[[], None] = lambda: None) -> None:
        """Send a message and, behind it, one end of another pipe to a process that runs already; ours is closed.

        Args:
            message: of the types that the codec knows.
            channel: the end.
            waiting: see ``send``.

        Raises:
            ChannelClosed: nobody will read it.
        """
        try:
            self.send(message, waiting)
            self._send_some([b"\0"], waiting, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [channel.fileno()]))])
        except OSError as error:
            raise ChannelClosed from error
        finally:
            channel.close()

    def receive_channel(self) -> Channel:
        """Return the end of a pipe that ``send_channel`` sent behind the message just received.

        Raises:
            ChannelClosed: the sender died in between.
        """
        try:
            _, handles, _, _ = socket.recv_fds(self._socket, 1, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError as error:
            raise ChannelClosed from error
        if not handles:
            raise ChannelClosed
        return Channel(_End(fileno=handles[0]), self._codec)

    def hang_up(self) -> None:
        """End the connection at both ends, so that a thread that waits in ``receive`` wakes; close it then."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end; may be called again."""
        self._socket.close()


def channel_pair(codec: Codec) -> tuple[Channel, Channel]:
    """Return the two ends of a new pipe."""
    a, b = socket.socketpair()
    return Channel(_End(fileno=a.detach()), codec), Channel(_End(fileno=b.detach()), codec)


def channel_of(end: socket.socket, codec: Codec) -> Channel:
    """Return the channel over a connected socket, which belongs to it now."""
    return Channel(_End(fileno=end.detach()), codec)


def _received(handle: Any, codec: Codec) -> Channel:
    return Channel(_End(fileno=handle.detach()), codec)


class Waitable(Protocol):
    """A channel, or another thing whose file descriptor becomes readable when there is something to do."""

    def fileno(self) -> int: ...


Awaited = TypeVar("Awaited", bound=Waitable)


def wait_for_any(sources: Iterable[Awaited], timeout_seconds: float | None) -> list[Awaited]:
    """Return those that have a message or are closed; an empty list after the time-out."""
    by_handle = {source.fileno(): source for source in sources}
    return [by_handle[handle] for handle in wait_for_handles(by_handle, timeout_seconds)]


def wait_for_handles(handles: Iterable[int], timeout_seconds: float | None) -> list[int]:
    """Return the file descriptors from which something can be read, or that have come to their end; see ``wait_for_any``."""
    poller = select.poll()
    for handle in handles:
        poller.register(handle, select.POLLIN)
    return [handle for handle, _ in poller.poll(None if timeout_seconds is None else timeout_seconds * 1000)]
