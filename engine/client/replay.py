"""Ask the publisher's replay service for messages that were missed."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import cast

import zmq

from engine.client.age import is_same_machine
from engine.client.sequence import Position
from engine.contracts.replay import Kind, ReplayAnswer, ReplayRequest, decode_answer, encode_replay
from engine.contracts.unreadable import UNREADABLE
from engine.keys.curve import connect
from engine.keys.files import ClientKey

_ATTEMPTS = 2
"""Requests without an answer after which a gap stays a gap."""
_PATIENCE = 8
"""Time-outs that one gap may take in all, so that a service that trickles does not hold the reader."""
_LONGEST_PAUSE_SECONDS = 30.0
_HWM = 256
_NEWEST = 1 << 62
"""Beyond every number."""


class ReplayClient:
    """One DEALER; for one thread.

    A service that was silent is left alone for a while, twice as long each time, so that a reader whose replay service is gone
    waits once and not at every gap.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        timeout_seconds: float,
        limit_bytes: int,
        key: ClientKey | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._same_clock = is_same_machine(endpoint)
        self._ids = itertools.count(1)
        self._pause_seconds = timeout_seconds
        self._not_before = 0.0
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _HWM)
        self._socket.setsockopt(zmq.MAXMSGSIZE, limit_bytes)
        # Requests that wait for a service that is gone are of no use when it comes back.
        self._socket.setsockopt(zmq.SNDHWM, 2 * _ATTEMPTS)
        try:
            connect(self._socket, endpoint, key)
        except BaseException:
            self._socket.close()
            raise
        self.trouble = ""
        """Why what was asked for last was not given, after the words "the replay service"; empty: it was."""
        self.has_answered = True
        """Whether all that was asked for last was answered."""

    def fetch(self, run_id: str, stream: str, kind: Kind, numbers: range) -> Iterator[list[bytes]]:
        """Yield the frames of those messages that are still there, in order.

        Ends early when the service refuses, or is silent: each request may take the time-out twice, and all of them together
        eight times, not counting what the caller does between two messages.
        """
        self.has_answered = False
        if time.monotonic() < self._not_before:
            return
        first, last, silent, waited = numbers.start, numbers.stop - 1, 0, 0.0
        while first <= last and silent < _ATTEMPTS and waited < _PATIENCE * self._timeout_seconds:
            request_id, begin = self._ask(run_id, stream, kind, first, last), first
            silent += 1
            asked = time.monotonic()
            for answer, frames in self._answers(request_id):
                waited += time.monotonic() - asked
                silent = 0
                if answer.status == "message":
                    first = max(first, answer.last_seq + 1)
                    yield frames
                elif answer.status == "refused":
                    self.trouble, self.has_answered = f"refuses: {answer.detail}", True
                    return
                elif answer.status == "done":
                    if answer.last_seq < begin:
                        self.trouble, self.has_answered = "", True
                        return
                    first = max(first, answer.last_seq + 1)
                    break
                asked = time.monotonic()
            else:
                waited += self._timeout_seconds
                silent = max(silent, 1)
        self.has_answered = first > last
        self.trouble = "" if self.has_answered else "does not answer"
        self._note(reached=self.has_answered)

    def since(self, position: Position) -> Iterator[list[bytes]]:
        """Yield the frames of what was sent after a position: of each series that it names, and the end of whatever run it is
        now, which tells of the others."""
        answered = True
        for (stream, kind), following in position.next_seq.items():
            yield from self.fetch(position.run_id, stream, cast("Kind", kind), range(following, _NEWEST))
            answered &= self.has_answered
        yield from self.fetch("", "", "end", range(_NEWEST))
        self.has_answered &= answered

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _ask(self, run_id: str, stream: str, kind: Kind, first: int, last: int) -> int:
        request_id = next(self._ids)
        # A deadline is a moment on the service's clock: give none where that may be another one.
        deadline_ns = time.time_ns() + int(self._timeout_seconds * 1e9) if self._same_clock else 0
        request = ReplayRequest(request_id=request_id, stream=stream, kind=kind, from_seq=first, to_seq=last, run_id=run_id,
                                deadline_ns=deadline_ns)  # fmt: skip
        with contextlib.suppress(zmq.Again):  # earlier requests still wait for a service: no answer will come
            self._socket.send(encode_replay(request), zmq.NOBLOCK)
        return request_id

    def _note(self, *, reached: bool) -> None:
        if reached:
            self._pause_seconds = self._timeout_seconds
        else:
            self._not_before = time.monotonic() + self._pause_seconds
            self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _answers(self, request_id: int) -> Iterator[tuple[ReplayAnswer, list[bytes]]]:
        """Yield the answers to one request until the service is silent; those to earlier ones are dropped."""
        deadline = time.monotonic() + self._timeout_seconds
        while (left_ms := int((deadline - time.monotonic()) * 1000)) > 0 and self._socket.poll(left_ms):
            header, *frames = self._socket.recv_multipart()
            try:
                answer = decode_answer(header)
            except UNREADABLE:
                continue
            if answer.request_id == request_id:
                yield answer, frames
                deadline = time.monotonic() + self._timeout_seconds
