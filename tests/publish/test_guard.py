import resource
import socket
from contextlib import ExitStack
from time import monotonic
from types import SimpleNamespace

import pytest

from engine.publish.guard import FloodGuard
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def port():
    """Yield a function that opens a listening port and returns how to connect to it: (client, served) pairs."""
    with ExitStack() as closing:

        def listening():
            server = closing.enter_context(socket.create_server(("127.0.0.1", 0)))

            def connect():
                client = closing.enter_context(socket.create_connection(server.getsockname(), timeout=PATIENCE_SECONDS))
                served = closing.enter_context(server.accept()[0])
                served.settimeout(PATIENCE_SECONDS)
                return client, served

            return f"tcp://127.0.0.1:{server.getsockname()[1]}", connect

        yield listening


def say(client, served, count):
    """Let ``count`` bytes cross."""
    left = count
    while left:
        client.sendall(bytes(min(left, 4096)))
        got = 0
        while got < min(left, 4096):
            got += len(served.recv(4096))
        left -= min(left, 4096)


def looked(guard):
    """Call ``check`` until it has looked again."""
    before, deadline = guard._next_check, monotonic() + PATIENCE_SECONDS
    while guard._next_check == before and monotonic() < deadline:
        guard.check()


def test_only_the_connection_that_floods_is_cut(port):
    endpoint, connect = port()
    _, other_connect = port()
    guard = FloodGuard()
    guard.watch(endpoint)
    reader, flooder, elsewhere = connect(), connect(), other_connect()
    looked(guard)
    say(*reader, 2_000)
    say(*flooder, 1_000_000)
    say(*elsewhere, 1_000_000)
    looked(guard)
    assert guard.cut == 1
    assert flooder[0].recv(1) == b""
    say(*reader, 10)
    say(*elsewhere, 10)


def test_the_next_look_after_a_cut_comes_sooner(port, monkeypatch):
    clock = SimpleNamespace(now=100.0, monotonic=lambda: clock.now)  # a look takes no time by it, however busy the machine
    monkeypatch.setattr("engine.publish.guard.time", clock)
    endpoint, connect = port()
    guard = FloodGuard()
    guard.watch(endpoint)
    guard.check()
    usual_seconds = guard._next_check - clock.now
    for number in range(3):
        flooder = connect()
        say(*flooder, 300_000)
        clock.now = guard._next_check
        guard.check()
        assert guard.cut == number + 1
        assert 0 < guard._next_check - clock.now < usual_seconds / 5
        flooder[1].close()


def test_of_a_crowd_those_are_cut_that_have_said_the_least(port, monkeypatch):
    monkeypatch.setattr("engine.publish.guard._MOST_CONNECTIONS", 3)
    endpoint, connect = port()
    guard = FloodGuard()
    guard.watch(endpoint)
    readers, crowd = [connect() for _ in range(2)], [connect() for _ in range(5)]
    for reader in readers:
        say(*reader, 120)
    looked(guard)
    assert guard.cut == 4
    for reader in readers:
        say(*reader, 10)
    assert sum(is_cut(client) for client, _ in crowd) == 4


def is_cut(client):
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False


def test_whoever_others_connect_to_may_open_more_files_than_by_default():
    """300 silent connections a second took all 1,024 within four seconds: no key could be read, and all readers were cut."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        FloodGuard().watch("tcp://127.0.0.1:5556")
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 16384)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_out_of_files_goes_on(port):
    endpoint, connect = port()
    guard = FloodGuard()
    guard.watch(endpoint)
    connect()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        guard.check()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert guard.cut == 0


def test_ipc_needs_no_guard():
    guard = FloodGuard()
    guard.watch("ipc:///run/faces")
    guard.check()
    assert guard.cut == 0
