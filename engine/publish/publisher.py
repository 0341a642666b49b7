"""The publisher: numbers messages and puts them on a socket.

``pub`` never blocks: what a subscriber does not take in time is lost for it, and it sees that by ``seq``. libzmq does not tell
the sender, so a publisher cannot count these losses. ``push`` blocks until the reader has room, and so loses nothing.

libzmq drops the newest messages when a subscriber's queue is full, so a slow one reads what was queued before: the queue and
the kernel's buffer are kept short for cameras, and ``engine.client.Subscriber`` skips faces that are too old all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import zmq

from engine.config import PublishConfig
from engine.contracts.envelope import Body, Payload
from engine.contracts.messages import AnyMessage, End, Message, kind_of
from engine.errors import ConfigError
from engine.publish.door import Door
from engine.publish.endpoint import bind, harden
from engine.publish.exposure import check_in_the_clear, refusal_of
from engine.publish.farewell import Farewell
from engine.publish.frames import frames_of, kept_back
from engine.publish.guard import FloodGuard
from engine.publish.numbering import Numbering
from engine.publish.patience import Patience
from engine.publish.replay import ReplayService, Ring
from engine.publish.subscriptions import GrantedSubscriptions, Subscriptions
from engine.publish.tap import TapSocket

_BLOCKED_POLL_MS = 50
_LIVE_HWM = 32
_RECORDED_HWM = 256
_LIVE_BUFFER_BYTES = 16 * 1024
"""With 64 KiB the kernel holds twice as many faces for a slow subscriber as the queue does."""
_SUBSCRIPTION_BYTES = 512
"""A topic has at most 100 characters."""
_HEARTBEAT_MS = 5_000
"""A subscriber behind a cut cable is given up after three of these; its queue would be held for ever otherwise."""
_KEEPALIVE_SECONDS = 15


def _never() -> bool:
    return False


def _nobody(sentence: str) -> None: ...


class Publisher:
    """Sends the messages of one run. For one thread; owns none.

    With an empty endpoint it numbers messages and sends them nowhere, so that an output directory alone gets the same.
    """

    def __init__(
        self,
        config: PublishConfig,
        run_id: str,
        context: zmq.Context[zmq.Socket[bytes]],
        *,
        live: bool = False,
        next_seq: Mapping[str, int] | None = None,
        warn: Callable[[str], None] = _nobody,
        tap: str = "",
        awaits: int = 1,
    ) -> None:
        """Bind the sockets that the configuration names.

        Args:
            config: endpoints, kind of socket and bounds.
            run_id: stands in every message.
            context: the process's only one.
            live: a source is a camera, so that fresh messages are worth more than a complete series: on ``pub`` less waits for
                a slow subscriber.
            next_seq: where a publisher goes on that replaces another one, see ``Numbering``.
            warn: is told, seldom, whom the keys keep out, and that no reader comes.
            tap: endpoint of ``Tap.messages``; empty: none.
            awaits: subscribers of a ``pub`` socket that ``wait_for_subscriber`` waits for.

        Raises:
            ConfigError: an endpoint is malformed, or open to others without keys; the engine's own key cannot be used. What is
                wrong with a client's is told to ``warn``: who replaces a publisher must not end the run for it.
            PublishError: an endpoint is in use or may not be used.
        """
        self._config, self._kept_back = config, kept_back(config)
        self._live, self._awaits = live, awaits
        self._numbering = Numbering(run_id, next_seq)
        self._subscriptions = Subscriptions()
        self._counters = {"published": 0, "published_bytes": 0, "unheard": 0, "abandoned": 0}
        self._socket: zmq.Socket[bytes] | None = None
        self._ring: Ring | None = None
        self._replay: ReplayService | None = None
        self._door: Door | None = None
        self._tap: TapSocket | None = None
        self._losers: frozenset[str] = frozenset()
        self._end: Sequence[Payload] = ()
        self._guard, self._patience = FloodGuard(), Patience(warn)
        self.bound_endpoint = self._bound_tap = ""
        if config.replay and not config.endpoint:
            raise ConfigError("publish.replay needs publish.endpoint: give both, or neither")
        check_in_the_clear(config)
        is_private = not (config.keys or config.insecure)
        try:
            if config.endpoint and config.keys:
                self._door = Door(context, Path(config.keys), refuses=refusal_of(config), warn=warn)
            if config.endpoint:
                self._socket = self._open(context)
                self.bound_endpoint = bind(self._socket, config.endpoint, "publish.endpoint", is_private=is_private)
                self._guard.watch(self.bound_endpoint)
            if config.replay:
                self._ring = Ring(config.replay_bytes)
                self._replay = ReplayService(context, config.replay, self._ring, run_id, self._door, is_private=is_private)
                self._guard.watch(self._replay.bound_endpoint)
            if tap:
                self._tap = TapSocket(context, tap)
                self._bound_tap = tap
        except BaseException:
            self.close()
            raise

    @property
    def bound_replay(self) -> str:
        """The replay endpoint with its real port; empty if there is none."""
        return self._replay.bound_endpoint if self._replay else ""

    @property
    def subscriptions(self) -> int:
        """Different topics that subscribers of a ``pub`` socket ask for, as of the last ``poll``; 0: nobody listens."""
        return self._subscriptions.count

    @property
    def counters(self) -> dict[str, int]:
        """Totals since the start.

        ``published`` and ``published_bytes``: given to the socket; ``unheard``: of these, on ``pub`` while nobody subscribed;
        ``abandoned``: not sent on ``push`` because ``should_stop`` said so; ``floods``: connections that were cut because they
        sent far more than a reader has to say; ``refused``: with keys, those that were not let in;
        ``replay.*``: the replay service.
        """
        own = self._counters | {"floods": self._guard.cut} | ({"refused": self._door.refused} if self._door else {})
        return own | (self._replay.counters if self._replay else {})

    @property
    def readers(self) -> int:
        """Connections to a ``pub`` socket that asked for something, as of the last ``poll``; only where
        several are awaited."""
        return self._subscriptions.readers

    @property
    def _have_come(self) -> bool:
        return self.readers >= self._awaits if self._awaits > 1 else self.subscriptions > 0

    def wait_for_subscriber(self, timeout_seconds: float | None = None, should_stop: Callable[[], bool] = _never) -> bool:
        """Wait for whom is awaited, as long as the configuration says or as given; return whether they came."""
        deadline = time.monotonic() + (self._config.wait_seconds if timeout_seconds is None else timeout_seconds)
        while self._socket is not None:
            self.poll()
            left_ms = int((deadline - time.monotonic()) * 1000)
            wait_ms = max(0, min(left_ms, _BLOCKED_POLL_MS))
            if self._config.socket == "push":
                if self._socket.poll(wait_ms, zmq.POLLOUT):
                    return True
            elif self._have_come:
                return True
            else:
                self._socket.poll(wait_ms, zmq.POLLIN)
                self._subscriptions.follow(self._socket)
            if not self._have_come and (left_ms <= 0 or should_stop()):
                return False
        return False

    def send(
        self, body: Body | AnyMessage, payloads: Sequence[Payload], should_stop: Callable[[], bool] = _never
    ) -> AnyMessage:
        """Number a message, send it as ``[topic][header][part...]``, and return it with all its parts.

        Args:
            body: what it says; a message that has its number already is sent as it is. Without ``embeddings`` its vector stays.
            payloads: one for each of its ``parts``, in that order.
            should_stop: asked about every 50 ms while ``push`` has no room; True gives this message up.
        """
        message = body if isinstance(body, Message) else self._numbering.stamp(body)
        tap = self._tap if self._tap is not None and self._tap.is_heard else None
        if self._socket is None and tap is None:
            return message
        frames = frames_of(message, payloads, without=self._kept_back)
        if tap is not None:  # before a reader of ``push`` is waited for
            tap.send(frames)
        if self._socket is None:
            return message
        if self._ring is not None:
            self._ring.put(message.stream, kind_of(message), message.seq, frames)
        if self._config.socket == "pub":
            if not self.subscriptions:
                self._subscriptions.follow(self._socket)
                self._counters["unheard"] += not self.subscriptions
            self._socket.send_multipart(frames)
        elif not self._push(self._socket, frames, should_stop):
            self._counters["abandoned"] += 1
            return message
        self._counters["published"] += 1
        self._counters["published_bytes"] += sum(map(len, frames))
        self._end = frames if isinstance(message, End) else ()
        return message

    def see_off(self, should_stop: Callable[[], bool] = _never) -> None:
        """Stay, after the last message, while readers are behind or ask for what they have missed: ``close`` would lose it.

        On ``pub`` 30 s at most; ``end`` is sent again once to each that has caught up: a full queue had no room for it.
        ``should_stop`` is asked about every 50 ms; True ends this.
        """
        is_push = self._config.socket == "push"
        farewell = Farewell(self.bound_endpoint, self.bound_replay, self._patience, is_push=is_push)
        while farewell.lasts(self.counters.get("replay.requests", 0)) and self._end and not should_stop():
            self.poll()
            if farewell.caught_up and not is_push and self._socket is not None:
                self._socket.send_multipart(self._end)
        farewell.end()

    def poll(self) -> None:
        """Answer replay requests and follow subscriptions and keys, without waiting; call it a few times a second."""
        if self._door is not None:
            self._losers |= self._door.poll()
            if self._losers and self._cut(self._door, self._losers):
                self._losers = frozenset()
        if self._config.socket == "pub" and self._socket is not None:
            self._subscriptions.follow(self._socket)
        if self._replay is not None:
            self._replay.poll()
        if self._tap is not None:
            self._tap.poll()
        self._guard.check()

    def remove_socket_files(self) -> None:
        """Remove the files of ``ipc`` endpoints, which libzmq leaves behind; do so while nobody else can have bound them."""
        for endpoint in (self.bound_endpoint, self.bound_replay, self._bound_tap):
            if endpoint.startswith("ipc:///"):
                Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)

    def close(self, linger_ms: int = 0) -> None:
        """Close the sockets. What is queued is still sent for ``linger_ms``, while the context's ``term()`` waits."""
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._socket is not None:
            self._socket.close(linger=linger_ms)
            self._socket = None
        for service in (self._replay, self._tap):
            if service is not None:
                service.close()
        self._replay = self._tap = None

    def _open(self, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        config = self._config
        socket = context.socket(zmq.XPUB if config.socket == "pub" else zmq.PUSH)
        socket.setsockopt(zmq.LINGER, 0)
        lively = self._live and config.socket == "pub"
        socket.setsockopt(zmq.SNDHWM, config.send_hwm or (_LIVE_HWM if lively else _RECORDED_HWM))
        socket.setsockopt(zmq.SNDBUF, min(config.send_buffer_bytes, _LIVE_BUFFER_BYTES) if lively else config.send_buffer_bytes)
        harden(socket, _SUBSCRIPTION_BYTES)
        if self._door is not None:
            self._door.lock(socket)
            if config.socket == "pub":
                self._subscriptions = GrantedSubscriptions(socket, self._door)
        if config.socket == "pub":
            # Else neither this nor XPUB_VERBOSER: they queue every repeated subscription, without bound.
            socket.setsockopt(zmq.XPUB_VERBOSE, self._awaits > 1)
            socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
            socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 3 * _HEARTBEAT_MS)
        else:
            # No heartbeat: a reader that pauses answers none, and would lose what was under way to it.
            socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
            socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, _KEEPALIVE_SECONDS)
        return socket

    def _push(self, socket: zmq.Socket[bytes], frames: Sequence[Payload], should_stop: Callable[[], bool]) -> bool:
        while True:
            try:
                socket.send_multipart(frames, zmq.NOBLOCK)
                self._patience.is_over()
                return True
            except zmq.Again:
                if should_stop():
                    return False
            self._patience.waits(self.bound_endpoint)
            self.poll()
            socket.poll(_BLOCKED_POLL_MS, zmq.POLLOUT)

    def _cut(self, door: Door, losers: frozenset[str]) -> bool:
        """End the connections of clients whose rights have changed; return False where that has to be done again.

        On ``push`` and to the replay service those of all clients, as nobody says whose is whose.
        """
        given = self._subscriptions
        are_cut = given.cut(losers) if isinstance(given, GrantedSubscriptions) else door.cut_all(self.bound_endpoint)
        return (not self.bound_replay or door.cut_all(self.bound_replay)) and are_cut
