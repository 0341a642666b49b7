"""Receive a run: typed messages in order, and gaps where something is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Literal, Self, cast, get_args

import zmq

from engine.client.received import Gap, Malformed, Received, parse
from engine.client.replay import ReplayClient
from engine.client.sequence import Sequence
from engine.contracts.messages import End, check_stream_name, kind_of
from engine.contracts.replay import Kind
from engine.errors import ConfigError

_KINDS: tuple[Kind, ...] = get_args(Kind)
_RECEIVE_HWM = 256
_RECEIVE_BUFFER_BYTES = 64 * 1024
"""Large kernel buffers would hold hundreds of old faces for a slow reader."""


class Subscriber:
    """Iterate over a run.

    Use::

        from engine.client import Face, Gap, Subscriber

        with Subscriber("tcp://127.0.0.1:5556", kinds=("face", "end")) as faces:
            for item in faces:
                if isinstance(item, Gap):
                    print(f"missed {len(item)} {item.kind} messages of {item.stream}")
                elif isinstance(item.message, Face):
                    recognise(item.image("enhanced"), item.image("original"), item.message.candidates)

    Iteration stops after the run's ``end`` message. For one thread.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        socket: Literal["sub", "pull"] = "sub",
        kinds: Iterable[Kind] = ("face", "track", "stream", "end"),
        streams: Iterable[str] | None = None,
        replay: str | None = None,
        timeout_seconds: float | None = None,
        follow: bool = False,
        from_start: bool | None = None,
        replay_timeout_seconds: float = 2.0,
    ) -> None:
        """Connect; a publisher that is not there yet is waited for.

        Args:
            endpoint: what the publisher binds.
            socket: ``sub`` for a ``pub`` endpoint, ``pull`` for a ``push`` one. Several ``pull`` readers share the messages,
                and each sees the others' as gaps.
            kinds: what to receive; without ``end`` iteration never stops by itself.
            streams: only these; None: all of them.
            replay: the publisher's replay endpoint, to fetch what was missed.
            timeout_seconds: longest silence; None waits for ever.
            follow: go on after ``end``, with the next run.
            from_start: what was sent before this subscriber came counts as missed. None: yes for ``pull`` or with ``replay``.
            replay_timeout_seconds: longest silence of the replay service before the rest counts as lost.

        Raises:
            ConfigError: an endpoint, a kind or a stream name is not usable.
        """
        self.endpoint = endpoint
        self._kinds = frozenset(kinds)
        self._streams = None if streams is None else frozenset(map(check_stream_name, streams))
        if unknown := self._kinds.difference(_KINDS):
            raise ConfigError(f"unknown kind {', '.join(sorted(unknown))}: use some of {', '.join(_KINDS)}")
        self._timeout_seconds = timeout_seconds
        self._follow = follow
        self._sequence = Sequence(from_start if from_start is not None else socket == "pull" or replay is not None)
        self.counters = {"messages": 0, "missed": 0, "replayed": 0, "malformed": 0, "repeated": 0}
        """Since the start: handed out, lost for good, come back by replay, unreadable, and come twice."""
        self.last_malformed = ""
        """Why the last unreadable message was not readable."""
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._replay: ReplayClient | None = None
        try:
            self._socket = self._connect(socket)
            if replay is not None:
                self._replay = ReplayClient(self._context, replay, replay_timeout_seconds)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise ConfigError(
                f"cannot connect to {endpoint} ({error.strerror}): use tcp://ADDRESS:PORT or ipc:///PATH"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect."""
        if not self._context.closed:
            self._context.destroy(linger=0)

    def __iter__(self) -> Iterator[Received | Gap]:
        """Yield messages and gaps in the order of their numbers within each stream and kind.

        Raises:
            TimeoutError: nothing came for ``timeout_seconds``.
            FatalError: the publisher speaks another version of the wire.
        """
        while True:
            received = self._parsed(self._receive())
            if received is None or not self._wanted(received):
                continue
            yield from self._in_order(received)
            if isinstance(received.message, End) and not self._follow:
                return

    def _connect(self, socket: Literal["sub", "pull"]) -> zmq.Socket[bytes]:
        opened = self._context.socket(zmq.SUB if socket == "sub" else zmq.PULL)
        opened.setsockopt(zmq.LINGER, 0)
        opened.setsockopt(zmq.RCVHWM, _RECEIVE_HWM)
        opened.setsockopt(zmq.RCVBUF, _RECEIVE_BUFFER_BYTES)
        if socket == "sub":
            # Before connecting, so that they reach the publisher together.
            for topic in self._topics():
                opened.setsockopt(zmq.SUBSCRIBE, topic.encode())
        opened.connect(self.endpoint)
        return opened

    def _topics(self) -> list[str]:
        topics = []
        for kind in _KINDS:
            if kind not in self._kinds:
                continue
            if self._streams is None or kind in ("stats", "end"):
                topics.append(f"v1/{kind}/")
            else:
                topics += [f"v1/{kind}/{stream}/" for stream in sorted(self._streams)]
        return topics

    def _receive(self) -> list[bytes]:
        timeout_ms = None if self._timeout_seconds is None else int(self._timeout_seconds * 1000)
        if not self._socket.poll(timeout_ms):
            raise TimeoutError(f"no message from {self.endpoint} within {self._timeout_seconds} s")
        return self._socket.recv_multipart()

    def _parsed(self, frames: list[bytes], replayed: bool = False) -> Received | None:
        try:
            return parse(frames, replayed)
        except Malformed as error:
            self.counters["malformed"] += 1
            self.last_malformed = str(error)
            return None

    def _wanted(self, received: Received) -> bool:
        return self._wants(received.message.stream, kind_of(received.message))

    def _wants(self, stream: str, kind: str) -> bool:
        if kind not in self._kinds:
            return False
        return self._streams is None or kind in ("stats", "end") or stream in self._streams

    def _in_order(self, received: Received) -> Iterator[Received | Gap]:
        message = received.message
        missing = self._sequence.arrived(message)
        if missing is None:
            self.counters["repeated"] += 1
            return
        yield from self._refilled(message.stream, kind_of(message), missing)
        if isinstance(message, End):
            for stream, kind, numbers in self._sequence.missing_at_end(message):
                if self._wants(stream, kind):
                    yield from self._refilled(stream, kind, numbers)
        self.counters["messages"] += 1
        yield received

    def _refilled(self, stream: str, kind: str, numbers: range) -> Iterator[Received | Gap]:
        """Yield what the replay service still has of ``numbers``, and gaps for the rest."""
        expected = numbers.start
        run_id = self._sequence.run_id
        for frames in self._replay.fetch(run_id, stream, cast("Kind", kind), numbers) if self._replay and numbers else ():
            found = self._parsed(frames, replayed=True)
            if found is None or found.message.run_id != run_id or found.message.seq < expected:
                continue
            yield from self._gap(stream, kind, range(expected, found.message.seq))
            expected = found.message.seq + 1
            self.counters["messages"] += 1
            self.counters["replayed"] += 1
            yield found
        yield from self._gap(stream, kind, range(expected, numbers.stop))

    def _gap(self, stream: str, kind: str, numbers: range) -> Iterator[Gap]:
        if numbers:
            self.counters["missed"] += len(numbers)
            yield Gap(stream, kind, numbers.start, numbers.stop - 1)
