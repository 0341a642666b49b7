"""Who comes in: CURVE and an allow-list for the sockets of a publisher.

libzmq asks the allow-list for each new connection (ZAP), and lets nobody in who is not on it, nor anybody at all when the list
does not answer. Who is taken off is cut: libzmq asks once, when a connection begins.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import zmq

from engine.errors import ConfigError
from engine.keys.files import Client, ServerKey
from engine.keys.folder import KeyFolder
from engine.publish.connections import connections_to
from engine.words.seldom import Pace
from engine.words.text import readable

_DOMAIN = "facestream"
_LOOK_SECONDS = 0.25
"""How long somebody who is taken off the list may go on reading, besides what is under way."""
_NOT_SPOKEN_WITH = "it has no key, a key for another engine, or does not speak ZeroMQ"
_NOT_LISTED = "its key is not, or no longer, in"
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


class Door:
    """One for all sockets of a context. ``lock`` them before they are bound; call ``poll`` a few times a second.

    Args:
        context: whose connections are asked for; it has no other authenticator.
        folder: of keys.
        refuses: why a client of the list is not let in all the same; empty: it is.
        what: is behind the door, for messages.
        warn: is told, seldom, of whom was refused.

    Raises:
        ConfigError: the folder cannot be used.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        folder: Path,
        *,
        refuses: Callable[[Client], str],
        warn: Callable[[str], None],
        what: str = "publish",
    ) -> None:
        self._context, self._warn, self._what = context, warn, what
        self._folder = KeyFolder(folder)
        self._server = self._folder.server()
        self._list = _AllowList(self._folder, self._server, refuses)
        self._monitors: dict[zmq.Socket[bytes], zmq.Socket[bytes]] = {}
        self._next_look = 0.0
        self._pace = Pace()
        self._refused: Counter[str] = Counter()
        self._newest_from = ""
        """Of whom the list refused."""
        self.refused = 0
        """Connections that were not let in so far."""
        from engine.publish.authenticator import Authenticator  # loads an event loop, which few publishers need

        self._authenticator = Authenticator(context)
        self._authenticator.configure_curve_callback(_DOMAIN, self._list)
        self._authenticator.start()

    def lock(self, socket: zmq.Socket[bytes]) -> None:
        """Let nobody connect to ``socket`` but clients of the list."""
        socket.curve_server = True
        socket.curve_secretkey = self._server.secret.encode()
        socket.zap_domain = _DOMAIN.encode()
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without an answer nobody comes in
        address = f"inproc://door-{id(socket)}"
        socket.monitor(address, _FAILED)
        # By hand, as the bound must be off: libzmq waits for room, and all connections with it.
        news = self._context.socket(zmq.PAIR)
        news.setsockopt(zmq.RCVHWM, 0)
        news.setsockopt(zmq.LINGER, 0)
        news.connect(address)
        self._monitors[socket] = news

    def client(self, key: str) -> Client | None:
        """Return who has connected with a public key; None: nobody that is still on the list."""
        return self._list.known().get(key)

    def poll(self) -> frozenset[str]:
        """Count who was refused, say so now and then; return the public keys that have lost rights since the last time."""
        for news in self._monitors.values():
            while news.poll(0):
                news.recv_multipart()
                self._refuse(_NOT_SPOKEN_WITH, 1)
        refusals, faults = self._list.take_news()
        if refusals.times:
            self._refuse(_NOT_LISTED, refusals.times)
            self._newest_from = refusals.newest_from
        for fault in faults:
            self.tell(fault, f"{self._what}: {fault}")
        self._say()
        if time.monotonic() < self._next_look:
            return frozenset()
        self._next_look = time.monotonic() + _LOOK_SECONDS
        self._revive()
        self._list.now()
        return self._list.take_losers()

    def cut_all(self, endpoint: str) -> bool:
        """End all connections to an endpoint: those that may come in connect again, and are asked again.

        Returns:
            False: some could not be looked at, and have to be cut later.
        """
        try:
            return all(connection.cut() for connection in connections_to(endpoint))
        except OSError:
            return False

    def close(self) -> None:
        """Let nobody in any more; before the sockets are closed."""
        for socket, news in self._monitors.items():
            socket.disable_monitor()
            news.close(linger=0)
        self._monitors.clear()
        self._authenticator.stop()

    def tell(self, cause: str, sentence: str) -> None:
        """Say something, once in a minute for each cause, of which there are few."""
        if self._pace.due(cause) is not None:
            self._warn(readable(sentence))

    def _revive(self) -> None:
        """Begin to answer again where that has ended: nobody else would be let in, for good."""
        if self._authenticator.is_alive():
            return
        self.tell("no answers", f"{self._what}: the list of keys has stopped answering, and is started again")
        try:
            self._authenticator.stop()
            self._authenticator.start()
        except (zmq.ZMQError, RuntimeError, OSError) as error:
            self.tell("no start", f"{self._what}: the list of keys cannot answer, so nobody is let in: {error}")

    def _refuse(self, cause: str, times: int) -> None:
        self.refused += times
        self._refused[cause] += times

    def _say(self) -> None:
        for cause, times in list(self._refused.items()):
            if self._pace.due(cause) is not None:
                why = f"{cause} {self._list.where} (the last from {self._newest_from})" if cause == _NOT_LISTED else cause
                self._warn(readable(f"{self._what}: {times} connection{'s were' if times > 1 else ' was'} refused: {why}"))
                del self._refused[cause]


def user_id(frame: zmq.Frame) -> str:
    """Return the public key of the client that sent a frame; empty where nobody did."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""


class _Refusals(NamedTuple):
    times: int = 0
    newest_from: str = ""


class _AllowList:
    """The clients of a folder as they are now; asked by the authenticator's thread and by the publisher's."""

    def __init__(self, folder: KeyFolder, server: ServerKey, refuses: Callable[[Client], str]) -> None:
        self.address = ""
        """Of the connection that is asked for; of the authenticator's thread."""
        self._folder, self._server, self._refuses = folder, server, refuses
        self._lock = threading.Lock()
        self._state: object = None
        self._clients: Mapping[str, Client] = {}
        self._losers: set[str] = set()
        self._refusals = _Refusals()
        self._faults: list[str] = []
        self.now()

    def callback(self, domain: str, key: Any) -> bool:
        """Return whether a key (bytes, Z85) may come in: pyzmq's way to ask."""
        try:
            known = bytes(key).decode("ascii", "replace") in self.now()
        except Exception as error:  # it would end the thread that answers
            known = False
            with self._lock:
                self._faults.append(f"the list of keys cannot be read: {error}")
        if not known:
            with self._lock:
                self._refusals = _Refusals(self._refusals.times + 1, self.address or "ipc")
        return known

    @property
    def where(self) -> Path:
        """Where the clients are listed."""
        return self._folder.path

    def now(self) -> Mapping[str, Client]:
        """Return who may read, by public key; a folder that cannot be read is one of nobody."""
        with self._lock:
            try:
                state = self._folder.state()
                if state != self._state:
                    clients, complaints = self._folder.readable_clients()
                    self._take(clients)
                    self._state = state
                    self._faults += [*complaints, *self._of_another_engine()]
            except ConfigError as error:
                if self._clients or self._state is not None:
                    self._faults.append(str(error))
                self._take([])
                self._state = None
            return self._clients

    def known(self) -> Mapping[str, Client]:
        """Return the same as of the last look."""
        with self._lock:
            return self._clients

    def take_losers(self) -> frozenset[str]:
        """Return the public keys that were taken off, or may read less than before, since this was asked last."""
        with self._lock:
            losers, self._losers = frozenset(self._losers), set()
            return losers

    def take_news(self) -> tuple[_Refusals, list[str]]:
        """Return who was refused since this was asked last, and what is wrong with the folder."""
        with self._lock:
            refusals, self._refusals = self._refusals, _Refusals()
            faults, self._faults = self._faults, []
            return refusals, faults

    def _of_another_engine(self) -> list[str]:
        """Return what is said where the folder holds another key of the engine by now: who has that one is not told why."""
        with suppress(ConfigError):  # without one nobody is given another
            if self._folder.server() != self._server:
                return [
                    f"{self._folder.path} holds another key of the engine than at the start: clients that were made since then "
                    "are let in after a restart, and those from before no longer"
                ]
        return []

    def _take(self, clients: list[Client]) -> None:
        usable = {}
        for client in clients:
            if why := self._refuses(client):
                self._faults.append(f"{client.name} is not let in: {why}")
            else:
                usable[client.public] = client
        self._losers |= {key for key, old in self._clients.items() if key not in usable or usable[key].rights != old.rights}
        self._clients = usable
