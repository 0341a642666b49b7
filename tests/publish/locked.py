"""A publisher with keys, and clients of all kinds at it, each with what its socket saw of the handshake."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import zmq
from zmq.utils.monitor import recv_monitor_message

from engine.config import PublishConfig
from engine.keys.curve import connect
from engine.keys.folder import KeyFolder
from engine.publish.publisher import Publisher
from tests.patience import PATIENCE_SECONDS
from tests.together import repeatedly

KINDS = pytest.mark.parametrize("socket", ["pub", "push"])
FAILED = {zmq.Event.HANDSHAKE_FAILED_AUTH, zmq.Event.HANDSHAKE_FAILED_PROTOCOL, zmq.Event.HANDSHAKE_FAILED_NO_DETAIL}


class Client:
    """A plain socket of pyzmq with its monitor."""

    def __init__(self, context, kind, endpoint, key=None, topics=(b"v1/",)):
        self.socket = context.socket(kind)
        self.socket.linger = 0
        self._news = self.socket.get_monitor_socket()
        self._seen = []
        if kind == zmq.SUB:
            for topic in topics:
                self.socket.subscribe(topic)
        connect(self.socket, endpoint, key)

    @property
    def seen(self):
        """Events of its connection so far."""
        while self._news.poll(0):
            self._seen.append(zmq.Event(recv_monitor_message(self._news)["event"]))
        return self._seen

    @property
    def failed(self):
        return bool(FAILED & set(self.seen))

    def use(self):
        """Let libzmq subscribe again after a new connection: it does so only when the socket is used."""
        if not self.socket.closed:
            self.socket.poll(0)

    def topics(self):
        """Return the topics of what has come."""
        found = []
        while self.socket.poll(0):
            found.append(self.socket.recv_multipart()[0].decode())
        return found

    def close(self):
        if self.socket.closed:
            return
        self.socket.disable_monitor()
        self._news.close(0)
        self.socket.close(0)


class Locked:
    """A publisher of which only those of ``folder`` may read."""

    def __init__(self, path: Path, closing: ExitStack, **config):
        self.folder = KeyFolder(path)
        self.rightful = self.folder.add("rightful")
        self.said: list[str] = []
        self._clients: list[Client] = []
        self.context = zmq.Context()
        closing.callback(self.context.term)
        settings = {"endpoint": "tcp://127.0.0.1:*", "keys": str(path)} | config
        self.publisher = Publisher(PublishConfig(**settings), "run1", self.context, warn=self.said.append)
        closing.callback(self.publisher.close)
        self._kind = zmq.SUB if settings.get("socket", "pub") == "pub" else zmq.PULL
        self._closing = closing

    def client(self, key=None, kind=None, endpoint="", **options):
        client = Client(self.context, kind or self._kind, endpoint or self.publisher.bound_endpoint, key, **options)
        self._closing.callback(client.close)
        self._clients.append(client)
        return client

    def until(self, is_so, what="it never came to be"):
        """Let the publisher work until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, what
            self.publisher.poll()
            self.publisher._socket.poll(2)
            for client in self._clients:
                client.use()

    @contextmanager
    def working(self):
        """Let the publisher work in a thread of its own; nobody else may use it meanwhile."""
        with repeatedly(self.publisher.poll, 0.005):
            yield

    def hear(self, client, *topics):
        """Let the publisher work until a client has got these topics; return all that it got."""
        got = []

        def complete():
            got.extend(client.topics())
            return set(topics) <= set(got)

        self.until(complete, f"only {got} came")
        return got


@contextmanager
def locked(path, **config):
    with ExitStack() as closing:
        yield Locked(path / "keys", closing, **config)
