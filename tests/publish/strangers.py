"""Keys of those who have no right, for tests of the door."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from engine.keys.folder import KeyFolder


def key_of_another_engine(at, tmp_path):
    return KeyFolder(tmp_path / "other").add("stranger")


def key_that_is_not_on_the_list(at, tmp_path):
    key = key_of_another_engine(at, tmp_path)
    return type(key)(name=key.name, public=key.public, secret=key.secret, server=at.rightful.server)


def revoked_key(at, tmp_path):
    key = at.folder.add("former")
    at.folder.revoke("former")
    return key


def no_key(at, tmp_path):
    return None


def crowd_at(endpoint: str, closing: ExitStack, count: int = 12) -> list[socket.socket]:
    """Return connections that will say nothing."""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return [closing.enter_context(socket.create_connection((host, int(port)))) for _ in range(count)]


def left_of(crowd: list[socket.socket]) -> int:
    """Return how many of them are still there; what was said to them is thrown away."""
    return sum(map(_is_open, crowd))


def _is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        while one.recv(4096):
            pass
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
