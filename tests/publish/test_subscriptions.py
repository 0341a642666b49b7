"""Whose connections have ended is looked for once, however many ended."""

import socket as stdlib_socket
from types import SimpleNamespace

import zmq

from engine.publish import subscriptions
from engine.publish.connections import Connection
from engine.publish.subscriptions import GrantedSubscriptions, _Reader


class Ended:
    """What libzmq gives for a connection that has ended: a subscription taken back, by nobody."""

    bytes = b"\x00v1/"

    def get(self, what):
        raise zmq.ZMQError(zmq.EINVAL)


class Socket:
    """Gives frames, then says that there are no more."""

    def __init__(self):
        self.frames = []

    def setsockopt(self, option, value):
        pass

    def recv(self, *how, copy):
        if not self.frames:
            raise zmq.Again
        return self.frames.pop()


def with_readers(number):
    """Return subscriptions with readers that share a connection's file, under inodes of their own, and the connection."""
    socket, opened = Socket(), stdlib_socket.socket()
    given = GrantedSubscriptions(socket, SimpleNamespace())
    here = Connection.of(opened.fileno())
    for index in range(number):
        reader = _Reader("key")
        reader.granted[b"v1/%d" % index] = 1
        given._readers[here._replace(inode=here.inode + index)] = reader
    return given, socket, opened


def test_many_that_end_at_once_are_looked_for_once(monkeypatch):
    given, socket, opened = with_readers(50)
    looked, look = [], Connection.of
    monkeypatch.setattr(Connection, "of", staticmethod(lambda number: looked.append(number) or look(number)))
    socket.frames = [Ended() for _ in range(500)]
    with opened:
        given.follow(socket)
    assert len(looked) == 50, "once for each reader, not for each that ended"
    assert given.count == 1, "the only one that is still there"


def test_who_closes_a_little_after_it_was_told_is_forgotten_at_the_next_look(monkeypatch):
    now = 100.0
    monkeypatch.setattr(subscriptions, "time", SimpleNamespace(monotonic=lambda: now))
    given, socket, opened = with_readers(1)
    with opened:
        socket.frames = [Ended()]
        given.follow(socket)
        assert given.count == 1
    given.follow(socket)
    assert given.count == 1, "not looked for at each turn"
    now += 1
    given.follow(socket)
    assert given.count == 0
