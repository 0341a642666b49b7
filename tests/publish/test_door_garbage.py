"""Garbage and half handshakes at a door."""

from __future__ import annotations

import socket as stdlib_socket

import zmq

from tests.patience import PATIENCE_SECONDS
from tests.publish.bad_peers import frame
from tests.publish.locked import locked
from tests.publish.samples import face

_CURVE_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + b"\x00" + bytes(31)
_NULL_GREETING = _CURVE_GREETING.replace(b"CURVE", b"NULL\0")
GARBAGE = {
    "nothing": b"",
    "random bytes": bytes(range(256)) * 16,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a greeting": _CURVE_GREETING[:20],
    "a greeting alone": _CURVE_GREETING,
    "an empty hello": _CURVE_GREETING + b"\x04\x06\x05HELLO",
    "a hello of zeros": _CURVE_GREETING + b"\x04\xc8" + b"\x05HELLO" + bytes(194),
    "a huge hello": _CURVE_GREETING + b"\x06" + (1 << 40).to_bytes(8, "big"),
    "in the clear, at once": _NULL_GREETING + b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB" + frame(b"\x01v1/"),
}


def test_garbage_and_half_handshakes_disturb_nobody(tmp_path):
    with locked(tmp_path) as at:
        host, port = at.publisher.bound_endpoint.removeprefix("tcp://").split(":")
        rightful = at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)
        peers = []
        for index, said in enumerate(GARBAGE.values()):
            peers.append(stdlib_socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS))
            peers[-1].sendall(said)
            at.publisher.send(*face("door", track_id=index))
            assert at.hear(rightful, f"v1/face/door/{index}/") == [f"v1/face/door/{index}/"]
        late = at.client(at.folder.add("late"))
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in late.seen, "the door still opens")
        at.publisher.send(*face("door", track_id=99))
        at.hear(rightful, "v1/face/door/99/")
        for peer in peers:
            peer.setblocking(False)
            assert b"face" not in received(peer), "nothing but a greeting was said to it"
            peer.close()
        assert rightful.seen.count(zmq.Event.DISCONNECTED) == 0
    assert len(at.said) <= 1, at.said


def received(peer):
    try:
        return peer.recv(1 << 20)
    except (BlockingIOError, ConnectionError):
        return b""
