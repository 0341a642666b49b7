"""Asks a running service."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TypeVar

import zmq

from engine.contracts.unreadable import UNREADABLE
from engine.control.answers import AnyResult, ErrorCode, Problem, Reply, Status, decode_reply
from engine.control.verbs import ENVELOPE_BYTES, PROTOCOL, AnyVerb, GetStatus, Request, encode_request
from engine.errors import FacestreamError, UsageError
from engine.keys.curve import connect
from engine.keys.files import ClientKey
from engine.runtime.closing import Closing

USUAL_SECONDS = 30.0
Result = TypeVar("Result", bound=AnyResult)


class ControlError(FacestreamError):
    """The service has not done what was asked, and says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem

    @property
    def code(self) -> ErrorCode:
        return self.problem.code


class NoServiceError(FacestreamError):
    """Nobody answers."""


class ControlClient(Closing):
    """One connection; for one thread. It connects again by itself where the service was started anew.

    Args:
        endpoint: of the service.
        key: of `facestream keys`; None: in the clear, on this machine.

    Raises:
        UsageError: this is not an endpoint.
    """

    def __init__(self, endpoint: str, key: ClientKey | None = None) -> None:
        self.endpoint = endpoint
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        try:
            connect(self._socket, endpoint, key)
        except zmq.ZMQError as error:
            self.close()
            raise UsageError(f"{endpoint!r} is not an endpoint: use tcp://ADDRESS:PORT or ipc://PATH") from error
        except BaseException:
            self.close()
            raise

    def call(self, verb: AnyVerb, wanted: type[Result], seconds: float = USUAL_SECONDS) -> Result:
        """Ask, and return what is answered.

        Args:
            verb: what to do.
            wanted: the kind of answer that it has.
            seconds: how long to wait.

        Raises:
            ControlError: the service has not done it, and says why.
            NoServiceError: nobody answered in time.
        """
        reply = self.ask(verb, seconds)
        if reply.problem is not None:
            raise ControlError(reply.problem)
        if not isinstance(reply.result, wanted):
            raise FacestreamError("the service gave an unexpected answer: use the same version of both")
        return reply.result

    def ask(self, verb: AnyVerb, seconds: float = USUAL_SECONDS) -> Reply:
        """Ask, and return the whole reply.

        Raises:
            ControlError: the request cannot be sent, or is longer than the service takes.
            NoServiceError: nobody answered in time.
        """
        request = Request(
            request_id=secrets.token_hex(8),
            verb=verb,
            deadline_ns=time.time_ns() + int(seconds * 1e9),
        )
        until = time.monotonic() + seconds
        try:
            content = encode_request(request)
        except ValueError as error:
            raise ControlError(Problem(code="bad_request", message=str(error))) from error
        if len(content) > ENVELOPE_BYTES:
            self._require_room(len(content), seconds)
        if self._socket.poll(max(0, int(seconds * 1e3)), zmq.POLLOUT):
            self._socket.send_multipart([PROTOCOL, content])
        while (left := until - time.monotonic()) > 0:
            if not self._socket.poll(int(left * 1e3) + 1):
                break
            frames = self._socket.recv_multipart()
            with suppress(*UNREADABLE):
                reply = decode_reply(frames[-1])
                if reply.request_id in (request.request_id, ""):
                    return reply
        raise NoServiceError(
            f"no service answers at {self.endpoint} within {seconds:g} s: is `facestream serve` running? "
            "(`--directory` or `--endpoint` says which)"
        )

    def _require_room(self, size: int, seconds: float) -> None:
        """Ask first how much the service takes: what is longer it does not answer, and whoever sent it would wait in vain."""
        status = self.ask(GetStatus(), seconds).result
        largest = status.largest_request_bytes if isinstance(status, Status) else 0  # as of one who may not look
        if 0 < largest < size:
            words = f"the request has {size:,} bytes, and the service takes {largest:,}: use smaller pictures, one in a request"
            raise ControlError(Problem(code="too_large", message=f"{words}, or raise serve.upload_bytes"))

    def close(self) -> None:
        """Disconnect."""
        self._socket.close(linger=0)
        self._context.term()
