"""Where requests come in: one thread that reads, bounds and answers, and a few that carry out what may wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

import zmq
from msgspec.structs import replace

from engine.config.serve import ServeConfig
from engine.contracts.unreadable import UNREADABLE
from engine.control.answers import Problem, Reply, encode_reply
from engine.control.verbs import PROTOCOL, Request, decode_request, largest_request
from engine.errors import ConfigError, error_words
from engine.keys.folder import default_folder
from engine.publish.door import Door, user_id
from engine.publish.endpoint import bind, harden
from engine.publish.guard import FloodGuard
from engine.runtime.bell import Bell
from engine.service.caller import Caller, this_user
from engine.service.directory import ServiceDirectory
from engine.service.service import QUICK, Service
from engine.words.seldom import Seldom
from engine.words.text import readable

MOST_PENDING = 16
_HANDS = 4
_IN_A_TURN = 32
_TURN_MS, _GUARDED_TURN_MS = 250, 50
"""The second where others than this user may connect: so often a crowd is looked for."""
_LONGEST_ID = 128
_HWM = 4
"""Requests of one peer that libzmq holds: each may be as large as a picture."""


class _Place(NamedTuple):
    """A socket, and how its peers are known."""

    socket: zmq.Socket[bytes]
    caller: Callable[[zmq.Frame, Request], Caller | None]


class _Done(NamedTuple):
    place: _Place
    peer: bytes
    reply: Reply


class Router:
    """Answers from construction to ``close``.

    Args:
        service: what carries requests out.
        directory: of the service: whoever may use it may do everything.
        config: a further endpoint for holders of keys, and the largest picture.
        warn: is told, seldom, of who was refused and what could not be read.

    Raises:
        ConfigError: an endpoint cannot be.
        PublishError: one is in use.
    """

    def __init__(self, service: Service, directory: ServiceDirectory, config: ServeConfig, warn: Callable[[str], None]) -> None:
        self._service, self._seldom = service, Seldom(warn)
        self._largest = largest_request(config.upload_bytes)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._door: Door | None = None
        self._guard = FloodGuard(only_crowds=True)
        self._sockets: list[zmq.Socket[bytes]] = []
        self._hands = ThreadPoolExecutor(_HANDS, "verb")
        self._pending = 0
        self._done: SimpleQueue[_Done] = SimpleQueue()
        self._bell = Bell()
        self._closed = False
        self.endpoint = ""
        """Of the further endpoint, as it was bound."""
        try:
            me = this_user()
            self._places = [self._open(directory.control, lambda frame, request: me), self._open(directory.web, _of_web)]
            if config.control:
                self._places.append(self._open_to_holders_of_keys(config, warn))
        except BaseException:
            self._close_sockets()
            raise
        self._thread = threading.Thread(target=self._work, name="router", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more; replies that are ready are sent."""
        self._closed = True
        self._bell.ring()
        self._thread.join(5.0)
        self._hands.shutdown(wait=False, cancel_futures=True)

    def _open(self, endpoint: str, caller: Callable[[zmq.Frame, Request], Caller | None], door: Door | None = None) -> _Place:
        socket = self._context.socket(zmq.ROUTER)
        self._sockets.append(socket)
        harden(socket, self._largest)
        socket.setsockopt(zmq.RCVHWM, _HWM)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.SNDTIMEO, 0)
        socket.setsockopt(zmq.LINGER, 500)
        if door is not None:
            door.lock(socket)
        bound = bind(socket, endpoint, "serve.control", is_private=True)
        if door is not None:
            self.endpoint = bound
            self._guard.watch(bound)
        return _Place(socket, caller)

    def _open_to_holders_of_keys(self, config: ServeConfig, warn: Callable[[str], None]) -> _Place:
        if not config.control.startswith("tcp://"):
            raise ConfigError(
                f"serve.control: {config.control!r} is no tcp:// endpoint: the user of this machine has one in the directory"
            )
        folder = Path(config.keys).expanduser() if config.keys else default_folder()
        door = self._door = Door(
            self._context, folder, refuses=lambda client: "" if client.control else _NO_ROLE, warn=warn, what="control"
        )

        def caller(frame: zmq.Frame, request: Request) -> Caller | None:
            client = door.client(user_id(frame))
            return Caller(f"key:{client.name}", frozenset(client.control)) if client is not None else None

        return self._open(config.control, caller, door)

    def _work(self) -> None:
        poller = zmq.Poller()
        poller.register(self._bell.fileno(), zmq.POLLIN)
        for place in self._places:
            poller.register(place.socket, zmq.POLLIN)
        try:
            while not self._closed:
                try:
                    self._turn(poller)
                except Exception as error:  # nobody starts this thread anew
                    self._seldom.say("turn", f"control: an error while answering: {error_words(error)}")
                    time.sleep(_TURN_MS / 1e3)  # it may come again at once
            self._send_done()
        finally:
            self._close_sockets()

    def _turn(self, poller: zmq.Poller) -> None:
        ready = dict(poller.poll(_GUARDED_TURN_MS if self._door is not None else _TURN_MS))
        self._send_done()
        for place in self._places:
            if place.socket in ready:
                self._receive(place)
        if self._door is not None and self._door.poll():
            self._door.cut_all(self.endpoint)
        self._guard.check()

    def _close_sockets(self) -> None:
        if self._door is not None:
            self._door.close()
        for socket in self._sockets:
            socket.close()
        self._bell.close()
        self._context.term()

    def _receive(self, place: _Place) -> None:
        for _ in range(_IN_A_TURN):
            try:
                frames = place.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            except zmq.ZMQError as error:
                self._seldom.say("receive", f"control: a message could not be received: {error.strerror}")
                return
            try:
                self._take(place, frames)
            except Exception as error:  # of one request, and those behind it are answered
                self._seldom.say("fault", f"control: a request could not be carried out: {error_words(error)}")
                self._send(place, frames[0].bytes, Reply(request_id="", problem=_FAULT))

    def _take(self, place: _Place, frames: list[zmq.Frame]) -> None:
        peer = frames[0].bytes
        try:
            request = _read(frames)
        except ValueError as error:
            self._seldom.say("unreadable", f"control: a message could not be read: {error}")
            self._send(place, peer, Reply(request_id="", problem=Problem(code="bad_request", message=str(error))))
            return
        caller = place.caller(frames[-1], request)
        if caller is None:
            self._seldom.say("nobody", "control: refused a request with a key that is no longer in the folder of keys")
            problem = Problem(code="unauthorised", message="your key is not, or no longer, in the folder of keys")
            self._send(place, peer, Reply(request_id=request.request_id, problem=problem))
        elif isinstance(request.verb, QUICK):
            self._send(place, peer, self._service.answer(request, caller))
        elif self._pending >= MOST_PENDING:
            problem = Problem(code="busy", message=f"{MOST_PENDING} requests are under way, the most allowed: ask again")
            self._send(place, peer, Reply(request_id=request.request_id, problem=problem))
        else:
            self._pending += 1
            self._hands.submit(self._carry_out, place, peer, request, caller)

    def _carry_out(self, place: _Place, peer: bytes, request: Request, caller: Caller) -> None:
        try:
            reply = self._service.answer(request, caller)
        except Exception as error:
            self._seldom.say("fault", f"control: a request could not be carried out: {error_words(error)}")
            reply = Reply(request_id=request.request_id, problem=_FAULT)
        self._done.put(_Done(place, peer, reply))
        self._bell.ring()

    def _send_done(self) -> None:
        self._bell.hush()
        while True:
            try:
                done = self._done.get_nowait()
            except Empty:
                return
            self._pending -= 1
            self._send(done.place, done.peer, done.reply)

    def _send(self, place: _Place, peer: bytes, reply: Reply) -> None:
        # Who has gone, or reads nothing, gets nothing: nobody waits for it here.
        with suppress(zmq.ZMQError):
            place.socket.send_multipart([peer, PROTOCOL, self._encoded(reply)], zmq.NOBLOCK)

    def _encoded(self, reply: Reply) -> bytes:
        try:
            return encode_reply(reply)
        except (UnicodeEncodeError, TypeError, ValueError, OverflowError) as error:  # as of a path that is not UTF-8
            self._seldom.say("unwritable", f"control: an answer could not be written: {error_words(error)}")
            problem = reply.problem
            told = replace(problem, message=readable(problem.message), field=readable(problem.field)) if problem else _FAULT
            return encode_reply(Reply(request_id=readable(reply.request_id), problem=told))


_FAULT = Problem(code="failed", message="it could not be done; the log of the service says why")
_NO_ROLE = "it has no role (`facestream keys new NAME --control view operate enrol`)"


def _read(frames: list[zmq.Frame]) -> Request:
    """Return the request in a message.

    Raises:
        ValueError: there is none.
    """
    if len(frames) != 3 or len(frames[1]) > len(PROTOCOL) or frames[1].bytes != PROTOCOL:
        raise ValueError(f"a request has the two parts {PROTOCOL.decode()!r} and a MessagePack map")
    try:
        request = decode_request(frames[2].buffer)
    except (*UNREADABLE, MemoryError) as error:
        raise ValueError(f"the request cannot be read: {' '.join(str(error).split())[:300]}") from error
    if not 0 < len(request.request_id) <= _LONGEST_ID:
        raise ValueError(f"request_id must have 1 to {_LONGEST_ID} characters")
    return request


def _of_web(frame: zmq.Frame, request: Request) -> Caller:
    return Caller(f"web:{request.on_behalf_of[:100] or '-'}", frozenset(request.roles))
