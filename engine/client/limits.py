"""What a subscriber takes from the other side at most: it may be another program than the one that was meant."""

from __future__ import annotations

import struct
import time
from contextlib import suppress
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import recv_monitor_message

from engine.errors import ConfigError, FatalError
from engine.keys.curve import use_key
from engine.keys.files import ClientKey

_RETRY_SECONDS = 1.0
"""libzmq says at once that it connects again; where it does not, it has given the connection up."""
_HUNG_UP = 5
"""A publisher that is just going away hangs up too, but not so often."""
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that give the size: SOF0 to SOF15."""
_PNG = b"\x89PNG\r\n\x1a\n"
_TURN_SECONDS = 1.0
"""A signal that comes just before a wait begins does not interrupt it, and is seen at the end of a turn."""


@dataclass(frozen=True)
class Limits:
    """Bounds on one message."""

    message_bytes: int = 64 << 20
    """All frames of a message together."""
    picture_px: int = 50_000_000
    """Width times height of a picture that ``image`` decodes."""

    def __post_init__(self) -> None:
        for name, value in (("max_message_bytes", self.message_bytes), ("max_picture_px", self.picture_px)):
            if value < 1:
                raise ConfigError(f"{name} is {value}: use a whole number above 0")


DEFAULT_LIMITS = Limits()


def picture_size(file: bytes) -> tuple[int, int]:
    """Return width and height, in pixels, that a JPEG or PNG file says it has; nothing is decoded.

    Raises:
        ValueError: it is neither, or it is cut off before its size.
    """
    # Read here, as libraries do not serve for files that nobody knows: the bounds of Pillow and OpenCV are one for the whole
    # process, which is the user's; and Pillow's plugins, which know none, raise whatever a broken file makes them raise.
    try:
        if file.startswith(_PNG):
            width, height = struct.unpack(">II", file[16:24])
            return width, height
        if file.startswith(b"\xff\xd8"):
            return _jpeg_size(file)
    except (struct.error, IndexError) as error:
        raise ValueError("a picture that is cut off before its size") from error
    raise ValueError("neither a JPEG nor a PNG file")


def _jpeg_size(file: bytes) -> tuple[int, int]:
    at = 2
    while True:
        if file[at] != 0xFF:
            raise ValueError("a JPEG file with something else between its segments")
        marker = file[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:  # filling, and segments without a length
            at += 1 if marker == 0xFF else 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", file[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + struct.unpack(">H", file[at + 2 : at + 4])[0]


class Connection:
    """Sees that a socket's only connection has been given up: libzmq cuts one that sends a frame beyond ``MAXMSGSIZE``, says
    nothing, and does not connect again.

    Args:
        socket: not connected yet.
        endpoint: for messages.
        limit_bytes: of a frame.
        key: that is shown to the other side.
    """

    def __init__(self, socket: zmq.Socket[bytes], endpoint: str, limit_bytes: int, key: ClientKey | None = None) -> None:
        self._socket, self._endpoint, self._limit_bytes = socket, endpoint, limit_bytes
        socket.setsockopt(zmq.MAXMSGSIZE, limit_bytes)
        use_key(socket, key)
        self._key, self._failures = key, 0
        self._news = socket.get_monitor_socket(
            zmq.EVENT_DISCONNECTED
            | zmq.EVENT_CONNECT_RETRIED
            | zmq.EVENT_CONNECTED
            | zmq.EVENT_HANDSHAKE_SUCCEEDED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        )
        self._poller = zmq.Poller()
        self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._news, zmq.POLLIN)
        self._cut_at: float | None = None
        self._has_met = False
        """Whether the other side was a publisher that this socket can read."""

    def wait(self, timeout_seconds: float | None) -> bool:
        """Wait for a message; return whether there is one.

        Raises:
            FatalError: none can come any more.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            now = time.monotonic()
            ends = (deadline, self._cut_at and self._cut_at + _RETRY_SECONDS, now + _TURN_SECONDS)
            left_seconds = min(end for end in ends if end is not None) - now
            ready = dict(self._poller.poll(max(0, int(left_seconds * 1000) + 1)))
            if self._socket in ready:
                return True
            while self._news.poll(0):
                told = recv_monitor_message(self._news)
                self._hear(zmq.Event(told["event"]), told["value"])
            now = time.monotonic()
            if self._cut_at is not None and now - self._cut_at >= _RETRY_SECONDS:
                raise FatalError(self._why_cut())
            if deadline is not None and now >= deadline:
                return False

    async def arrival(self, timeout_seconds: float | None) -> bool:
        """As ``wait``, while the event loop of this thread goes on."""
        import asyncio  # whoever awaits has it already

        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        loop, stirred = asyncio.get_running_loop(), asyncio.Event()
        descriptors = [int(opened.getsockopt(zmq.FD)) for opened in (self._socket, self._news)]
        for descriptor in descriptors:
            loop.add_reader(descriptor, stirred.set)
        try:
            while True:
                stirred.clear()  # before the look: a descriptor is ready until what stirred it was looked at
                if self.wait(0):
                    return True
                if deadline is not None and time.monotonic() >= deadline:
                    return False
                ends = [deadline and deadline - time.monotonic(), self._cut_at and _RETRY_SECONDS]
                with suppress(TimeoutError):
                    await asyncio.wait_for(stirred.wait(), min((end for end in ends if end is not None), default=None))
        finally:
            for descriptor in descriptors:
                loop.remove_reader(descriptor)

    def _why_cut(self) -> str:
        if self._has_met:
            return (
                f"the connection to {self._endpoint} was cut: what came is not ZeroMQ, or a frame of more than "
                f"{self._limit_bytes:,} bytes; if that is the right publisher, set max_message_bytes higher"
            )
        ours, theirs, other = ("sub", "push", "pull") if self._socket.type == zmq.SUB else ("pull", "pub", "sub")
        return (
            f"{self._endpoint} does not send to a {ours} socket: if a run publishes there with --socket {theirs}, read it with "
            f'socket="{other}" (`facestream watch {self._endpoint} --socket {other}`), otherwise it is no publisher'
        )

    def close(self) -> None:
        """Stop watching; before the socket is closed."""
        if not self._news.closed:
            self._socket.disable_monitor()
            self._news.close(linger=0)

    def _hear(self, event: zmq.Event, value: int) -> None:
        match event:
            case zmq.Event.HANDSHAKE_FAILED_AUTH:
                raise FatalError(
                    f"{self._endpoint} does not accept this key, or no longer: ask for one of `facestream keys new`"
                )
            case zmq.Event.HANDSHAKE_FAILED_PROTOCOL if value == zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
                wanted = (
                    "has no keys: leave --key out"
                    if self._key
                    else "wants a key: give --key with a file of `facestream keys new`"
                )
                raise FatalError(f"{self._endpoint} {wanted}")
            case zmq.Event.HANDSHAKE_FAILED_NO_DETAIL if self._key:
                self._failures += 1
                if self._failures >= _HUNG_UP:
                    raise FatalError(
                        f"{self._endpoint} hangs up each time: the key of {self._key.name} is most likely for another "
                        "engine, or this engine's own key was made anew; ask for one of `facestream keys new`"
                    )
            case zmq.Event.HANDSHAKE_SUCCEEDED:
                self._failures = 0
                self._has_met = True
            case zmq.Event.DISCONNECTED:
                self._cut_at = time.monotonic()
            case zmq.Event.CONNECTED | zmq.Event.CONNECT_RETRIED:
                self._cut_at = None
