"""What was answered to something that is not to be done twice: kept with the desired state, so that a kill forgets neither."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import msgspec
from msgspec.structs import replace

from engine.control.answers import Reply, decode_reply, encode_reply
from engine.control.verbs import Request
from engine.service.caller import Caller
from engine.service.desired import Answer, Desired
from engine.service.nameless import with_names, without_names
from engine.service.refusal import Refusal

MOST = 256
LONGEST_KEY = 128
_KEPT_NS = 24 * 3600 * 1_000_000_000
_LARGEST_REPLY = 64 * 1024
_digest_encoder = msgspec.msgpack.Encoder()


class Answers:
    """Finds the answer that a request had before, and keeps two of the same key from being done at once."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def alone(self, request: Request, caller: Caller) -> Iterator[None]:
        """Do a request while no other of its key is under way.

        Raises:
            Refusal: one is, or the key is too long.
        """
        if len(request.idempotency_key) > LONGEST_KEY:
            raise Refusal("bad_request", f"an idempotency key has at most {LONGEST_KEY} characters", "idempotency_key")
        key = _key(request, caller)
        with self._lock:
            if key in self._under_way:
                raise Refusal("busy", "the same request is under way: ask again in a moment")
            if request.idempotency_key:
                self._under_way.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(key)

    @staticmethod
    def earlier(desired: Desired, request: Request, caller: Caller) -> Reply | None:
        """Return what was answered before.

        Raises:
            Refusal: the key was used for something else.
        """
        if not request.idempotency_key:
            return None
        key, now = _key(request, caller), time.time_ns()
        for answer in desired.answers:
            if answer.key == key and _is_kept(answer, now):
                if answer.asked != _digest(request):
                    raise Refusal(
                        "conflict", "this idempotency key was used for another request: use a new one", "idempotency_key"
                    )
                reply = with_names(request.verb, decode_reply(answer.reply))
                return replace(reply, request_id=request.request_id)
        return None

    @staticmethod
    def with_answer(desired: Desired, request: Request, caller: Caller, reply: Reply) -> Desired:
        """Return the state that remembers an answer, and forgets old ones."""
        if not request.idempotency_key:
            return desired
        now, content = time.time_ns(), encode_reply(without_names(request.verb, reply))
        if len(content) > _LARGEST_REPLY:
            return desired
        answer = Answer(key=_key(request, caller), asked=_digest(request), reply=content, time_ns=now)
        return replace(desired, answers=(*without_old(desired).answers[-(MOST - 1) :], answer))


def without_old(desired: Desired) -> Desired:
    """Return the state without answers that are forgotten by now."""
    now = time.time_ns()
    return replace(desired, answers=tuple(one for one in desired.answers if _is_kept(one, now)))


def _is_kept(answer: Answer, now_ns: int) -> bool:
    return 0 <= now_ns - answer.time_ns < _KEPT_NS


def _key(request: Request, caller: Caller) -> str:
    return f"{caller.name} {hashlib.sha256(request.idempotency_key.encode()).hexdigest()}"


def _digest(request: Request) -> str:
    """Return what tells the request from others; nobody who reads it can try names, as the key itself is not kept."""
    return hmac.digest(request.idempotency_key.encode(), _digest_encoder.encode(request.verb), "sha256").hex()
