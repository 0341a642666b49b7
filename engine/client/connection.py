"""What is known of a subscriber's connection, and what its user is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import zmq
from zmq.utils.monitor import recv_monitor_message

from engine.errors import FatalError, PublisherGoneError
from engine.keys.files import ClientKey
from engine.keys.topics import EVERYTHING

SILENT_SECONDS = 5.0
"""Who waits for so long is told what for."""
_RETRY_SECONDS = 1.0
"""libzmq says at once that it connects again; where it does not, it has given the connection up."""
_HUNG_UP = 5
"""A publisher that is just going away hangs up too, but not so often."""
_TURN_SECONDS = 1.0
"""A signal that comes just before a wait begins does not interrupt it, and is seen at the end of a turn."""
_Standing = Literal["away", "mute", "met"]
_WHY_SILENT: dict[_Standing | Literal["gone"], str] = {
    "away": "nothing answers there: no run publishes at this address yet",
    "gone": "the publisher that was there is gone: it was stopped or killed, or its run is over",
    "mute": "what answers there does not speak ZeroMQ: it is another program, or it hangs",
    "met": "a publisher is there, but has sent nothing that was asked for; perhaps its run has found nobody yet",
}


class Connection:
    """Waits for messages, and sees why none come.

    That a socket's only connection has been given up ends the waiting: libzmq cuts one that sends a frame beyond
    ``MAXMSGSIZE``, says nothing, and does not connect again.

    Args:
        socket: not connected yet.
        endpoint: for messages.
        limit_bytes: of a frame.
        key: for messages.
        gone_seconds: a publisher that was there and is away for so long is not waited for any more; None: it is.
        tell: is told, in a sentence, why nothing comes, after ``SILENT_SECONDS`` and when that changes.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        endpoint: str,
        limit_bytes: int,
        key: ClientKey | None,
        gone_seconds: float | None,
        tell: Callable[[str], None],
    ) -> None:
        self._socket, self._endpoint, self._limit_bytes, self._tell = socket, endpoint, limit_bytes, tell
        socket.setsockopt(zmq.MAXMSGSIZE, limit_bytes)
        self._key, self._failures, self._gone_seconds = key, 0, gone_seconds
        self._lost_at: float | None = None
        """Since when a publisher that was there is away."""
        self._is_over = False
        self._news = socket.get_monitor_socket(
            zmq.EVENT_CLOSED
            | zmq.EVENT_DISCONNECTED
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
        self._was_lost = False
        self._has_met = False
        """Whether the other side was a publisher that this socket can read."""
        self._standing: _Standing = "away"
        self._standing_since = time.monotonic()
        self._told: _Standing | None = None
        self._silent_since: float | None = None
        """When the last message was there, or the first one was waited for."""
        self._has_heard = False

    def silence(self, seconds: float | None) -> TimeoutError:
        """Return the error of somebody who has waited for so long in vain."""
        return TimeoutError(f"no message from {self._endpoint} within {seconds} s: {self._why_silent()}")

    def has_message(self) -> bool:
        """Whether there is a message now.

        Raises:
            ValueError: the socket is closed, as of a file.
        """
        if self._socket.closed:
            raise ValueError(f"the subscriber of {self._endpoint} is closed: read it inside its `with`, or make another")
        if not self._socket.poll(0):
            return False
        self._silent_since, self._has_heard, self._told, self._is_over = time.monotonic(), True, None, False
        return True

    def run_is_over(self) -> None:
        """The message that has come is the run's last: a publisher that goes now may."""
        self._is_over = True

    def wait(self, timeout_seconds: float | None) -> bool:
        """Wait for a message; return whether there is one.

        Raises:
            FatalError: none can come any more.
            PublisherGoneError: the publisher has been away for too long.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            now = time.monotonic()
            ends = (deadline, self._cut_at and self._cut_at + _RETRY_SECONDS, now + _TURN_SECONDS, self._gone_at)
            left_seconds = min(end for end in ends if end is not None) - now
            self._poller.poll(max(0, int(left_seconds * 1000) + 1))
            if self.has_message():
                return True
            self._hear_all()
            now = time.monotonic()
            if self._cut_at is not None and now - self._cut_at >= _RETRY_SECONDS:
                raise FatalError(self._why_cut())
            if self._gone_at is not None and now >= self._gone_at:
                raise PublisherGoneError(
                    f"the publisher at {self._endpoint} has been gone for {self._gone_seconds:g} s and has not said that its "
                    "run is over: it was stopped or killed, its machine or the network is away, or the run ended while this "
                    "reader was behind; with follow=True it is waited for"
                )
            self._tell_of_silence(now)
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
                ends = [_TURN_SECONDS, deadline and deadline - time.monotonic()]
                with suppress(TimeoutError):
                    await asyncio.wait_for(stirred.wait(), min(end for end in ends if end is not None))
        finally:
            for descriptor in descriptors:
                loop.remove_reader(descriptor)

    def is_another(self) -> bool:
        """Whether the connection was lost since this was asked last: what comes now may be another publisher's."""
        self._hear_all()
        was_lost, self._was_lost = self._was_lost, False
        return was_lost

    @property
    def _gone_at(self) -> float | None:
        lost_at, seconds = self._lost_at, self._gone_seconds
        return None if lost_at is None or seconds is None or self._is_over else lost_at + seconds

    def _tell_of_silence(self, now: float) -> None:
        if self._silent_since is None:
            self._silent_since = now
        seconds = now - self._silent_since
        is_new = self._standing != self._told and not (self._standing == "met" and self._has_heard)
        if is_new and min(seconds, now - self._standing_since) >= SILENT_SECONDS:
            self._told = self._standing
            why = self._why_silent()
            self._tell(f"nothing has come from {self._endpoint} for {seconds:.0f} s: {why}; still waiting")

    def _why_silent(self) -> str:
        why = _WHY_SILENT["gone" if self._lost_at is not None and self._standing == "away" else self._standing]
        if self._standing == "met" and self._key is not None and EVERYTHING not in self._key.topics:
            return f"{why}; the key of {self._key.name} may read {', '.join(self._key.topics)} alone"
        return why

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

    def _hear_all(self) -> None:
        while self._news.poll(0):
            told = recv_monitor_message(self._news)
            self._hear(zmq.Event(told["event"]), told["value"])

    def _hear(self, event: zmq.Event, value: int) -> None:
        match event:
            case zmq.Event.HANDSHAKE_FAILED_AUTH:
                raise FatalError(
                    f"{self._endpoint} does not accept this key, or no longer does: ask for a new one (`facestream keys new`)"
                )
            case zmq.Event.HANDSHAKE_FAILED_PROTOCOL if value == zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
                wanted = (
                    "has no keys: leave the key out"
                    if self._key
                    else "wants a key: give a file of `facestream keys new` (key=, --key)"
                )
                raise FatalError(f"{self._endpoint} {wanted}")
            case zmq.Event.HANDSHAKE_FAILED_NO_DETAIL if self._key:
                self._failures += 1
                if self._failures >= _HUNG_UP:
                    raise FatalError(
                        f"{self._endpoint} hangs up each time: the key of {self._key.name} is most likely for another "
                        "engine, or this engine's own key was replaced; ask for a new one (`facestream keys new`)"
                    )
            case zmq.Event.HANDSHAKE_SUCCEEDED:
                self._failures = 0
                self._has_met, self._lost_at = True, None
                self._stand("met")
            case zmq.Event.DISCONNECTED:
                self._cut_at, self._was_lost = time.monotonic(), True
                if self._has_met and self._lost_at is None:
                    self._lost_at = self._cut_at
                self._stand("away" if self._standing == "met" else self._standing)
            case zmq.Event.CONNECTED:
                self._cut_at = None
                self._stand("mute")
            case zmq.Event.CLOSED:
                self._stand("away")
            case zmq.Event.CONNECT_RETRIED:
                self._cut_at = None

    def _stand(self, standing: _Standing) -> None:
        if standing != self._standing:
            self._standing, self._standing_since = standing, time.monotonic()
