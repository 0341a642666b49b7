"""How nodes ask each other whether they have the database, when they have none themselves.

A ZeroMQ ROUTER of each node's own, with CURVE: its public key stands in the database, so an answer is of whom it was asked.
Anybody may ask: an answer binds nobody and tells little. The service's own endpoints would not do: one is this machine's alone,
the others want keys, tokens or certificates that somebody has to hand out to each node for each other one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
import zmq

from engine.contracts.unreadable import UNREADABLE
from engine.fleet.quorum import Answer, Heard
from engine.fleet.view import About
from engine.keys.curve import connect
from engine.publish.endpoint import bind, harden
from engine.publish.guard import FloodGuard
from engine.runtime.closing import Closing

_LARGEST_BYTES = 4096
"""The handshake of CURVE needs some hundred."""
_ROUNDS = 8
"""Answers to so many questions are waited for at a time: where the way is long they come when the next was asked."""
_MOST_AT_ONCE = 64


class Peers(Closing):
    """For one thread.

    Args:
        name: of this node.
        listen: where others ask, ``tcp://ADDRESS:PORT``.
        secret_key: Z85.
        now: the clock.

    Raises:
        ConfigError: ``listen`` is not an endpoint.
        PublishError: it is in use.
    """

    def __init__(self, name: str, listen: str, secret_key: bytes, now: Callable[[], float]) -> None:
        self._name, self._now = name, now
        self._secret, self.public_key = secret_key, zmq.curve_public(secret_key)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._asking: dict[str, tuple[About, zmq.Socket[bytes]]] = {}
        self._rounds: OrderedDict[bytes, tuple[float, dict[str, Heard]]] = OrderedDict()
        self._number = 0
        self._guard = FloodGuard(only_crowds=True)
        self._answering = self._context.socket(zmq.ROUTER)
        try:
            harden(self._answering, _LARGEST_BYTES)
            self._answering.setsockopt(zmq.LINGER, 0)
            self._answering.curve_secretkey, self._answering.curve_publickey = secret_key, self.public_key
            self._answering.curve_server = True
            bound = bind(self._answering, listen, "fleet.listen")
            self._guard.watch(bound)
            self.port = int(bound.rpartition(":")[2])
        except BaseException:
            self.close()
            raise

    def turn(self, milliseconds: int, answer: Callable[[], Answer]) -> list[tuple[float, Mapping[str, Heard]]]:
        """Wait for questions and answers; return the rounds in which one came: when it was asked, and all that was answered."""
        poller = zmq.Poller()
        for socket in (self._answering, *(socket for _, socket in self._asking.values())):
            poller.register(socket, zmq.POLLIN)
        ready = dict(poller.poll(milliseconds))
        self._guard.check()
        if self._answering in ready:
            self._answer(answer)
        rounds: dict[bytes, tuple[float, Mapping[str, Heard]]] = {}
        for name, (_, socket) in self._asking.items():
            if socket in ready:
                for number in self._hear(name, socket):
                    rounds[number] = self._rounds[number]
        return list(rounds.values())

    def ask(self, nodes: Mapping[str, About]) -> None:
        """Ask all others of these once more."""
        self._number += 1
        number = self._number.to_bytes(8, "big")
        self._rounds[number] = self._now(), {}
        while len(self._rounds) > _ROUNDS:
            self._rounds.popitem(last=False)
        for name, (about, socket) in list(self._asking.items()):
            if nodes.get(name) != about:
                socket.close()
                del self._asking[name]
        for name, about in nodes.items():
            if name != self._name and about.endpoint:
                with suppress(zmq.ZMQError):  # it cannot be reached now
                    self._socket(name, about).send(number, zmq.NOBLOCK)

    def rest(self) -> None:
        """Ask no more for the time being."""
        for _, socket in self._asking.values():
            socket.close()
        self._asking.clear()
        self._rounds.clear()

    def close(self) -> None:
        self.rest()
        self._answering.close()
        self._context.term()

    def _socket(self, name: str, about: About) -> zmq.Socket[bytes]:
        if name not in self._asking:
            socket = self._context.socket(zmq.DEALER)
            self._asking[name] = about, socket
            for option, value in ((zmq.LINGER, 0), (zmq.RECONNECT_IVL, 100), (zmq.RECONNECT_IVL_MAX, 500), (zmq.SNDHWM, 2)):
                socket.setsockopt(option, value)
            socket.setsockopt(zmq.CONNECT_TIMEOUT, 1000)
            socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_BYTES)
            socket.curve_secretkey, socket.curve_publickey = self._secret, self.public_key
            socket.curve_serverkey = about.public_key.encode()
            connect(socket, about.endpoint)
        return self._asking[name][1]

    def _answer(self, answer: Callable[[], Answer]) -> None:
        with suppress(zmq.ZMQError):
            for _ in range(_MOST_AT_ONCE):
                frames = self._answering.recv_multipart(zmq.NOBLOCK)
                if len(frames) == 2 and len(frames[1]) == 8:
                    told = msgspec.json.encode(answer())
                    with suppress(zmq.ZMQError):
                        self._answering.send_multipart([frames[0], frames[1], told], zmq.NOBLOCK)

    def _hear(self, name: str, socket: zmq.Socket[bytes]) -> list[bytes]:
        """Take what a node has answered; return to which questions."""
        numbers = []
        with suppress(zmq.ZMQError):
            for _ in range(_MOST_AT_ONCE):
                frames = socket.recv_multipart(zmq.NOBLOCK)
                if len(frames) == 2 and frames[0] in self._rounds:
                    with suppress(*UNREADABLE):
                        heard = Heard(msgspec.json.decode(frames[1], type=Answer), self._now())
                        self._rounds[frames[0]][1][name] = heard
                        numbers.append(frames[0])
        return numbers
