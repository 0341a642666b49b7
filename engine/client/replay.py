"""Ask the publisher's replay service for messages that were missed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import msgspec
import zmq

from engine.contracts.replay import Kind, ReplayAnswer, ReplayRequest, decode_answer, encode_replay


class ReplayClient:
    """One DEALER; for one thread."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._ids = itertools.count(1)
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(endpoint)
        self.refusal = ""
        """Why the last refused request was refused."""

    def fetch(self, run_id: str, stream: str, kind: Kind, numbers: range) -> Iterator[list[bytes]]:
        """Yield the frames of those messages that are still there, in order.

        Ends early when the service refuses, or is silent for longer than the time-out.
        """
        first, last = numbers.start, numbers.stop - 1
        while first <= last:
            request_id = next(self._ids)
            deadline_ns = time.time_ns() + int(self._timeout_seconds * 1e9)
            request = ReplayRequest(request_id=request_id, stream=stream, kind=kind, from_seq=first, to_seq=last, run_id=run_id,
                                    deadline_ns=deadline_ns)  # fmt: skip
            self._socket.send(encode_replay(request))
            for answer, frames in self._answers(request_id):
                if answer.status == "message":
                    yield frames
                elif answer.status == "refused":
                    self.refusal = answer.detail
                    return
                elif answer.status == "done":
                    if answer.last_seq < first:
                        return
                    first = answer.last_seq + 1
                    break
            else:
                return

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _answers(self, request_id: int) -> Iterator[tuple[ReplayAnswer, list[bytes]]]:
        """Yield the answers to one request until the service is silent; those to earlier ones are dropped."""
        deadline = time.monotonic() + self._timeout_seconds
        while (left_ms := int((deadline - time.monotonic()) * 1000)) > 0 and self._socket.poll(left_ms):
            header, *frames = self._socket.recv_multipart()
            try:
                answer = decode_answer(header)
            except msgspec.DecodeError:
                continue
            if answer.request_id == request_id:
                deadline = time.monotonic() + self._timeout_seconds
                yield answer, frames
