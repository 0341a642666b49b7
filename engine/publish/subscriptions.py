"""What the subscribers of a ``pub`` socket ask for, and, where there are keys, what of it they get."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import zmq

from engine.keys.topics import granted
from engine.publish.connections import Connection
from engine.publish.door import Door, user_id

_EVENTS_AT_ONCE = 2_000
_LOOK_SECONDS = 0.25


class Subscriptions:
    """Counts them: all get what they ask for."""

    def __init__(self) -> None:
        self.count = 0
        """Different topics that are asked for; 0: nobody listens."""
        self._topics: set[bytes] = set()
        self._connections: set[Connection] = set()
        self._most_connections = 64

    @property
    def readers(self) -> int:
        """Connections that have asked for something, and are open."""
        return sum(connection.is_open for connection in self._connections)

    def follow(self, socket: zmq.Socket[bytes]) -> None:
        """Take what has come, without waiting; of several that ask for the same only ``XPUB_VERBOSE`` tells."""
        for _ in range(_EVENTS_AT_ONCE):
            try:
                frame = socket.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            event = frame.bytes
            if event[:1] == b"\x01":
                self._topics.add(event[1:])
                if (connection := _connection(frame)) is not None:
                    self._note(connection)
            elif event[:1] == b"\x00":  # of the last one that had asked for it
                self._topics.discard(event[1:])
        self.count = len(self._topics)

    def _note(self, connection: Connection) -> None:
        self._connections.add(connection)
        if len(self._connections) > self._most_connections:  # most of them are of readers that came again and again
            self._connections = {one for one in self._connections if one.is_open}
            self._most_connections = max(64, 2 * len(self._connections))


@dataclass
class _Reader:
    key: str
    asked: set[bytes] = field(default_factory=set)
    granted: Counter[bytes] = field(default_factory=Counter)
    """Topics, and for how many of ``asked`` each was granted."""


class GrantedSubscriptions(Subscriptions):
    """Gives each client of a door what lies in its rights, of what it asks for.

    libzmq gives what is granted to the connection whose question was read last (``XPUB_MANUAL``). A message that is no
    subscription takes the turn of the next one: from there on, up to where no question waits, it may be anybody's. So nothing
    of that is granted, and all who asked then are cut, to connect and ask again.
    """

    def __init__(self, socket: zmq.Socket[bytes], door: Door) -> None:
        super().__init__()
        socket.setsockopt(zmq.XPUB_MANUAL, 1)
        self._door = door
        self._readers: dict[Connection, _Reader] = {}
        self._astray: set[Connection] | None = None
        """Those whose questions were read since one could be taken for another's; None: all is well."""
        self._has_ended, self._next_look = False, 0.0

    @property
    def readers(self) -> int:
        return sum(connection.is_open and bool(reader.granted) for connection, reader in self._readers.items())

    def follow(self, socket: zmq.Socket[bytes]) -> None:
        changed = False
        for _ in range(_EVENTS_AT_ONCE):
            try:
                frame = socket.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                self._cut_astray()
                break
            changed = True
            self._take(socket, frame)
        if self._forget_gone() or changed:
            self.count = len({topic for reader in self._readers.values() for topic in reader.granted})

    def cut(self, losers: frozenset[str]) -> bool:
        """End the connections of clients whose rights have changed; return False where some have to be cut later."""
        return all(self._cut(one) for one, reader in list(self._readers.items()) if reader.key in losers)

    def _take(self, socket: zmq.Socket[bytes], frame: zmq.Frame) -> None:
        event, key, connection = frame.bytes, user_id(frame), _connection(frame)
        if not key:  # one has ended, and libzmq has taken back what it had
            self._has_ended = True
            return
        client = self._door.client(key)
        if event[:1] not in (b"\x00", b"\x01"):
            self._astray = self._astray or set()
            name = client.name if client else "one that was revoked"
            sentence = f"publish: the client {name} sent something that is not a subscription, and was disconnected"
            self._door.tell("astray", sentence)
        if connection is None:
            return
        if self._astray is not None:
            self._astray.add(connection)
        elif client is None:
            connection.cut()
        elif event[:1] == b"\x01":
            _grant(socket, self._readers.setdefault(connection, _Reader(key)), event[1:], client.topics)
        elif connection in self._readers:
            _take_back(socket, self._readers[connection], event[1:], client.topics)

    def _cut_astray(self) -> None:
        for connection in self._astray or ():
            self._cut(connection)
        self._astray = None

    def _cut(self, connection: Connection) -> bool:
        if is_cut := connection.cut():
            self._readers.pop(connection, None)
        return is_cut

    def _forget_gone(self) -> bool:
        """Forget whose connection has ended, once for all that were told, and now and then: it may close a little later."""
        now = time.monotonic()
        if not self._has_ended and now < self._next_look:
            return False
        self._has_ended, self._next_look = False, now + _LOOK_SECONDS
        gone = [connection for connection in self._readers if not connection.is_open]
        for connection in gone:
            del self._readers[connection]
        return bool(gone)


def _grant(socket: zmq.Socket[bytes], reader: _Reader, asked: bytes, rights: tuple[str, ...]) -> None:
    if asked not in reader.asked:
        reader.asked.add(asked)
        for topic in granted(asked, rights):
            reader.granted[topic] += 1
            if reader.granted[topic] == 1:
                socket.setsockopt(zmq.SUBSCRIBE, topic)


def _take_back(socket: zmq.Socket[bytes], reader: _Reader, asked: bytes, rights: tuple[str, ...]) -> None:
    if asked in reader.asked:
        reader.asked.remove(asked)
        for topic in granted(asked, rights):
            reader.granted[topic] -= 1
            if reader.granted[topic] <= 0:
                del reader.granted[topic]
                socket.setsockopt(zmq.UNSUBSCRIBE, topic)


def _connection(frame: zmq.Frame) -> Connection | None:
    try:
        return Connection.of(int(frame.get(zmq.SRCFD)))
    except zmq.ZMQError:
        return None
