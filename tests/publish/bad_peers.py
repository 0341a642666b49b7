"""What ends up on a publisher's port besides readers: each function misbehaves at ``(host, port)`` in its own way."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

from engine.contracts.replay import ReplayRequest, encode_replay

Address = tuple[str, int]
_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL" + bytes(16) + b"\x00" + bytes(31)


def handshaken(address: Address, kind: bytes = b"SUB") -> socket.socket:
    """Return a connection after the whole handshake of ZMTP 3.0."""
    ready = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    with ExitStack() as closing:
        connection = closing.enter_context(socket.create_connection(address, timeout=5))
        connection.sendall(_GREETING + b"\x04" + bytes([len(ready)]) + ready)
        answered = b""
        while len(answered) <= len(_GREETING):  # its greeting, and the beginning of its READY
            piece = connection.recv(4096)
            if not piece:
                raise ConnectionResetError
            answered += piece
        closing.pop_all()
    return connection


def frame(body: bytes, more: bool = False) -> bytes:
    """Return a ZMTP frame."""
    if len(body) < 256:
        return bytes([more, len(body)]) + body
    return bytes([2 | more]) + len(body).to_bytes(8, "big") + body


def random_bytes(address: Address, seconds: float) -> None:
    _until(seconds, lambda: _say(address, os.urandom(4096)))


def http_request(address: Address, seconds: float) -> None:
    _until(seconds, lambda: _say(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))


def huge_subscription(address: Address, seconds: float) -> None:
    """Announces a subscription of 4 GiB and begins to send it."""
    _until(seconds, lambda: _say(address, b"\x02" + (1 << 32).to_bytes(8, "big") + b"\x01" + bytes(65536), handshake=True))


def binary_topics(address: Address, seconds: float) -> None:
    _until(seconds, lambda: _say(address, b"".join(frame(b"\x01" + os.urandom(200)) for _ in range(100)), handshake=True))


def same_topic_again_and_again(address: Address, seconds: float) -> None:
    _flood(address, seconds, itertools.repeat(frame(b"\x01v1/face/") * 1000))


def subscribes_and_unsubscribes(address: Address, seconds: float) -> None:
    _flood(address, seconds, itertools.repeat((frame(b"\x01ab") + frame(b"\x00ab")) * 1000))


def thousands_of_topics(address: Address, seconds: float) -> None:
    numbers = itertools.count()
    _flood(address, seconds, (b"".join(frame(b"\x01%040d" % next(numbers)) for _ in range(1000)) for _ in numbers))


def endless_message(address: Address, seconds: float) -> None:
    """One multipart whose last part never comes."""
    _flood(address, seconds, itertools.repeat(frame(b"\x01ab", more=True) * 1000))


def half_a_handshake(address: Address, seconds: float, connections: int = 300) -> None:
    """Many connections that greet and then are silent."""
    opened = []
    for number in range(connections):
        opened.append(socket.create_connection(address, timeout=5))
        opened[-1].sendall(_GREETING[: 64 if number % 2 else 11])
    time.sleep(seconds)
    for connection in opened:
        connection.close()


def replay_garbage(address: Address, seconds: float) -> None:
    _until(seconds, lambda: _say(address, b"".join(frame(os.urandom(60)) for _ in range(50)), handshake=True, kind=b"DEALER"))


def replay_of_everything(address: Address, seconds: float) -> None:
    """Asks for all faces again and again, and never reads an answer."""
    ask = frame(encode_replay(ReplayRequest(request_id=1, stream="cam1", kind="face", from_seq=0)))
    _flood(address, seconds, itertools.repeat(ask * 20), kind=b"DEALER")


def _say(address: Address, what: bytes, handshake: bool = False, kind: bytes = b"SUB") -> None:
    connection = handshaken(address, kind) if handshake else socket.create_connection(address, timeout=5)
    with connection:
        connection.sendall(what)
        connection.settimeout(0.05)
        for _ in range(20):  # noise may happen to be a subscription of an old ZeroMQ, which is then served for ever
            if not connection.recv(4096):
                return


def _flood(address: Address, seconds: float, pieces: Iterator[bytes], kind: bytes = b"SUB") -> None:
    """Send as fast as the publisher takes it, and connect again when it hangs up."""
    pieces = iter(pieces)
    deadline = time.monotonic() + seconds

    def once() -> None:
        with handshaken(address, kind) as connection:
            connection.settimeout(0.2)
            while time.monotonic() < deadline:
                connection.sendall(next(pieces))

    _until(seconds, once)


def _until(seconds: float, misbehave: Callable[[], None]) -> None:
    """Once at least."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            misbehave()
        if time.monotonic() >= deadline:
            return


AT_THE_PUBLISHER = [
    random_bytes, http_request, huge_subscription, binary_topics, same_topic_again_and_again, subscribes_and_unsubscribes,
    thousands_of_topics, endless_message, half_a_handshake,
]  # fmt: skip
AT_THE_REPLAY_SERVICE = [random_bytes, replay_garbage, replay_of_everything, endless_message]
