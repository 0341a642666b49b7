"""The way to the service: requests over one DEALER, many at a time."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TypeVar

import zmq
import zmq.asyncio

from engine.contracts.unreadable import UNREADABLE
from engine.control.answers import AnyResult, Reply, Status, decode_reply
from engine.control.verbs import PROTOCOL, AnyVerb, EnrolPerson, GetStatus, Probe, Request, SearchPerson, Verb, encode_request
from engine.web.auth import Asker
from engine.web.problems import Refusal
from engine.web.report import Report

_MOST_AT_ONCE = 64
_LARGEST_REPLY_BYTES = 64 << 20
_SECONDS = 10.0
_MAX_AGE_SECONDS = 0.9
"""Of a status that is told once more."""
_OTHER_SECONDS: dict[type[Verb], float] = {GetStatus: 5.0, Probe: 45.0, EnrolPerson: 120.0, SearchPerson: 120.0}
"""The status is answered sooner, or not: whoever scrapes metrics waits ten seconds."""
_MYSELF = Asker("web", ("view",))
Result = TypeVar("Result", bound=AnyResult)


class ServiceLink:
    """Asks the service; for the thread of one event loop.

    Args:
        endpoint: of its ROUTER; nobody need be there yet.
        report: gets a line where a reply cannot be read.
    """

    def __init__(self, endpoint: str, report: Report) -> None:
        self._report = report
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, _MOST_AT_ONCE)
        self._socket.setsockopt(zmq.RCVHWM, _MOST_AT_ONCE)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_REPLY_BYTES)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)  # what nobody is there for is not kept
        self._socket.connect(endpoint)

    async def ask(self, verb: AnyVerb, wanted: type[Result], asker: Asker = _MYSELF, key: str = "") -> Result:
        """Return what the service answers.

        Args:
            verb: what to do.
            wanted: the kind of answer that it has.
            asker: on whose behalf.
            key: of idempotency.

        Raises:
            Refusal: it was not done, or nobody answered in time.
        """
        if len(self._waiting) >= _MOST_AT_ONCE:
            raise Refusal("busy", "too many requests are under way: ask again", headers={"Retry-After": "1"})
        seconds = _OTHER_SECONDS.get(type(verb), _SECONDS)
        request = Request(
            request_id=secrets.token_hex(8),
            verb=verb,
            deadline_ns=time.time_ns() + int(seconds * 1e9),
            idempotency_key=key,
            on_behalf_of=asker.name,
            roles=asker.roles,
        )
        reply = await self._reply(request, seconds)
        if reply.problem is not None:
            raise Refusal(reply.problem.code, reply.problem.message, reply.problem.field)
        if not isinstance(reply.result, wanted):
            raise Refusal("failed", "the service gave an unexpected answer: use the same version of both")
        return reply.result

    async def run(self) -> None:
        """Hand out replies, for ever."""
        while True:
            frames = await self._socket.recv_multipart()
            try:
                reply = decode_reply(frames[-1])
            except UNREADABLE as error:
                self._report.say("reply", f"a reply of the service cannot be read: {error}")
                continue
            future = self._waiting.get(reply.request_id)
            if future is not None and not future.done():
                future.set_result(reply)

    def close(self) -> None:
        """Disconnect."""
        self._socket.close(linger=0)
        self._context.term()

    async def _reply(self, request: Request, seconds: float) -> Reply:
        try:
            content = encode_request(request)
        except ValueError as error:
            raise Refusal("bad_request", str(error)) from error
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = future
        try:
            async with asyncio.timeout(seconds):
                await self._socket.send_multipart([PROTOCOL, content])
                return await future
        except TimeoutError as error:
            raise Refusal("deadline", f"the service has not answered within {seconds:g} s: is it running?") from error
        finally:
            del self._waiting[request.request_id]


class StatusCache:
    """How the service stands, asked at most once a second however many want to know."""

    def __init__(self, link: ServiceLink) -> None:
        self._link = link
        self._status: Status | None = None
        self._at = 0.0
        self._lock = asyncio.Lock()

    async def known_of(self, names: frozenset[str]) -> frozenset[str]:
        """Return those of the names that are streams of the service; the service is asked where one was not known before.

        Raises:
            Refusal: the service does not answer.
        """
        if self._status is None or not names <= _streams_of(self._status):
            return names & _streams_of(await self.get())
        return names

    async def get(self) -> Status:
        """Return the status, not older than a second.

        Raises:
            Refusal: the service does not answer.
        """
        async with self._lock:
            if self._status is None or time.monotonic() - self._at > _MAX_AGE_SECONDS:
                self._status = await self._link.ask(GetStatus(), Status)
                self._at = time.monotonic()
            return self._status


def _streams_of(status: Status) -> frozenset[str]:
    return frozenset(stream.name for stream in status.streams)
