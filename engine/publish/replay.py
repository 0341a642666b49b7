"""Keep what was sent, up to a number of bytes, and send it again to a subscriber that missed it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
import zmq

from engine.contracts.envelope import Payload
from engine.contracts.replay import ReplayAnswer, ReplayRequest, decode_request, encode_replay
from engine.contracts.unreadable import UNREADABLE
from engine.keys.topics import may_read
from engine.publish.door import Door, user_id
from engine.publish.endpoint import bind, harden

_OVERHEAD_BYTES = 512
"""Counted for each message besides its frames: the objects that hold them."""
_ANSWER_MESSAGES = 64
_ANSWER_BYTES = 1024 * 1024
"""Bounds of one answer, which is what an asker that does not read can make the publisher hold; it asks again for the rest."""
_REQUEST_BYTES = 1024
_SLICE_SECONDS = 0.002
_SHARE = 4
"""Answers take at most 2 ms at a time and a quarter of the publisher's time, however many ask."""


class Ring:
    """The newest messages of a run, oldest dropped first, never more than ``max_bytes`` in all."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes_held = 0
        self._order: deque[tuple[tuple[str, str], int]] = deque()
        self._frames: dict[tuple[str, str], dict[int, tuple[Payload, ...]]] = {}
        self._next: dict[tuple[str, str], int] = {}

    def put(self, stream: str, kind: str, seq: int, frames: Sequence[Payload]) -> None:
        """Add a message; ``seq`` follows the one before of its stream and kind."""
        key = (stream, kind)
        self._order.append((key, seq))
        self._frames.setdefault(key, {})[seq] = tuple(frames)
        self._next[key] = seq + 1
        self.bytes_held += _size(frames)
        while self.bytes_held > self.max_bytes:
            old_key, old_seq = self._order.popleft()
            self.bytes_held -= _size(self._frames[old_key].pop(old_seq))

    def newest_seq(self, stream: str, kind: str) -> int:
        """Return the last seq that was put in, whether it is still held or not; -1 if there was none."""
        return self._next.get((stream, kind), 0) - 1

    def oldest_seq(self, stream: str, kind: str) -> int:
        """Return the first seq that is still held; one more than ``newest_seq`` if none is."""
        held = self._frames.get((stream, kind))
        return next(iter(held)) if held else self.newest_seq(stream, kind) + 1

    def get(self, stream: str, kind: str, seq: int) -> tuple[Payload, ...] | None:
        """Return the frames of one message, None if it has left the ring or was never in it."""
        return self._frames.get((stream, kind), {}).get(seq)


class ReplayService:
    """Answers replay requests on a ROUTER socket whenever ``poll`` is called; through a door only what an asker may read."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        ring: Ring,
        run_id: str,
        door: Door | None = None,
        *,
        is_private: bool = True,
    ) -> None:
        self._ring = ring
        self._run_id = run_id
        self._door = door
        self._not_before = 0.0
        self.counters = {"replay.requests": 0, "replay.messages": 0, "replay.refused": 0, "replay.cut_off": 0}
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        # Without MANDATORY a ROUTER drops silently what a slow asker does not take.
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        # Two answers: libzmq learns what was read only in steps of half the bound.
        self.socket.setsockopt(zmq.SNDHWM, 2 * (_ANSWER_MESSAGES + 2))
        harden(self.socket, _REQUEST_BYTES)
        try:
            if door is not None:
                door.lock(self.socket)
            self.bound_endpoint = bind(self.socket, endpoint, "publish.replay", is_private=is_private)
        except BaseException:
            self.socket.close()
            raise

    def poll(self, max_requests: int = 8) -> int:
        """Answer what has been asked, without waiting and within its share of the time; return the number of requests."""
        begun = time.monotonic()
        answered = 0
        while answered < max_requests and time.monotonic() - begun < _SLICE_SECONDS and begun >= self._not_before:
            try:
                identity, *body = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            answered += 1
            self.counters["replay.requests"] += 1
            try:
                for frames in self._answers(body):
                    self.socket.send_multipart([identity.bytes, *frames], zmq.NOBLOCK)
            except zmq.ZMQError:
                # The asker is gone or does not read: it will miss `done`, and ask again if it still cares.
                self.counters["replay.cut_off"] += 1
        if answered:
            now = time.monotonic()
            self._not_before = now + (_SHARE - 1) * (now - begun)
        return answered

    def close(self) -> None:
        """Stop answering."""
        self.socket.close()

    def _answers(self, body: list[zmq.Frame]) -> Iterator[tuple[Payload, ...]]:
        try:
            request = decode_request(body[-1].bytes if body else b"")
        except UNREADABLE as error:
            yield self._refusal(-1, f"this is not a replay request: {error}")
            return
        if self._door is not None and not self._may_read(body[-1], request):
            yield self._refusal(request.request_id, "the key that asks may not read this")
        elif request.run_id and request.run_id != self._run_id:
            yield self._refusal(request.request_id, f"this publisher's run is {self._run_id}, not {request.run_id}")
        elif request.from_seq < 0:
            yield self._refusal(request.request_id, f"from_seq is {request.from_seq}, and numbers start at 0")
        elif request.deadline_ns == 0 or request.deadline_ns > time.time_ns():
            yield from self._series(request)

    def _may_read(self, asker: zmq.Frame, request: ReplayRequest) -> bool:
        client = self._door.client(user_id(asker)) if self._door else None
        series = f"v1/{request.kind}/" + (f"{request.stream}/" if request.stream else "")
        return client is not None and may_read(series, client.topics)

    def _series(self, request: ReplayRequest) -> Iterator[tuple[Payload, ...]]:
        stream, kind, first = request.stream, request.kind, request.from_seq
        newest = self._ring.newest_seq(stream, kind)
        last = newest if request.to_seq is None else min(request.to_seq, newest)
        oldest = self._ring.oldest_seq(stream, kind)
        if first <= last and first < oldest:
            gone = min(oldest - 1, last)
            yield _answer(request, "gone", first, gone)
            first = gone + 1
        covered, sent_bytes = first - 1, 0
        for seq in range(first, min(last, first + _ANSWER_MESSAGES - 1) + 1):
            frames = self._ring.get(stream, kind, seq)
            if frames is None or sent_bytes > _ANSWER_BYTES:
                break
            yield (*_answer(request, "message", seq, seq), *frames)
            self.counters["replay.messages"] += 1
            sent_bytes += _size(frames)
            covered = seq
        yield _answer(request, "done", request.from_seq, covered, newest)

    def _refusal(self, request_id: int, detail: str) -> tuple[bytes]:
        self.counters["replay.refused"] += 1
        return (encode_replay(ReplayAnswer(request_id=request_id, status="refused", detail=detail)),)


def _answer(request: ReplayRequest, status: str, first: int, last: int, newest: int = -1) -> tuple[bytes]:
    fields = {"request_id": request.request_id, "status": status, "first_seq": first, "last_seq": last, "newest_seq": newest}
    return (encode_replay(msgspec.convert(fields, ReplayAnswer)),)


def _size(frames: Sequence[Payload]) -> int:
    return _OVERHEAD_BYTES + sum(map(len, frames))
