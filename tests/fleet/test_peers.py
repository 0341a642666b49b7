"""Nodes that ask each other over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import zmq

from engine.errors import PublishError
from engine.fleet.peers import Peers
from engine.fleet.permit import now_seconds
from engine.fleet.quorum import Answer
from engine.fleet.view import About
from tests.patience import PATIENCE_SECONDS, until
from tests.publish.strangers import crowd_at, left_of

WITHOUT = Answer(False, 0.5)


def about(peers: Peers, key: bytes | None = None) -> About:
    return About(endpoint=f"tcp://127.0.0.1:{peers.port}", public_key=(key or peers.public_key).decode())


def peers_of(name: str, listen: str = "tcp://127.0.0.1:*") -> Peers:
    return Peers(name, listen, zmq.curve_keypair()[1], now_seconds)


@pytest.fixture
def both() -> Iterator[tuple[Peers, Peers]]:
    with ExitStack() as closing:
        yield closing.enter_context(peers_of("a")), closing.enter_context(peers_of("b"))


def heard(asker: Peers, other: Peers, nodes: dict[str, About], seconds: float = PATIENCE_SECONDS) -> dict[str, Answer]:
    """Ask until there is an answer, and return all."""
    found: dict[str, Answer] = {}

    def asked() -> bool:
        asker.ask(nodes)
        other.turn(20, lambda: WITHOUT)
        for when, answers in asker.turn(20, lambda: WITHOUT):
            assert when <= min(one.received for one in answers.values()), "the question came first"
            found.update({name: one.answer for name, one in answers.items()})
        return bool(found)

    until(asked, "an answer", seconds)
    return found


def test_an_answer_is_of_whom_it_was_asked(both: tuple[Peers, Peers]) -> None:
    a, b = both
    assert heard(a, b, {"a": about(a), "b": about(b)}) == {"b": WITHOUT}
    wrong = {"a": about(a), "b": about(b, zmq.curve_keypair()[0])}
    with pytest.raises(AssertionError):
        heard(a, b, wrong, 1.0)
    assert heard(a, b, {"b": about(b)}) == {"b": WITHOUT}, "and with the right key again"


def test_a_crowd_that_says_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took all files that the service may open."""
    monkeypatch.setattr("engine.publish.guard._MOST_CONNECTIONS", 3)
    monkeypatch.setattr("engine.publish.endpoint._HANDSHAKE_MS", 1000 * PATIENCE_SECONDS)  # it ends nobody meanwhile
    with ExitStack() as closing:
        a, b = (closing.enter_context(peers_of(name)) for name in ("a", "b"))
        crowd = crowd_at(f"tcp://127.0.0.1:{b.port}", closing)

        def is_cut() -> bool:
            b.turn(20, lambda: WITHOUT)
            return left_of(crowd) <= 3

        until(is_cut, "the crowd is cut")
        assert heard(a, b, {"b": about(b)}) == {"b": WITHOUT}


def test_nobody_and_nonsense_hold_nothing_up(both: tuple[Peers, Peers]) -> None:
    a, b = both
    with socket.create_connection(("127.0.0.1", b.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        nodes = {"b": about(b), "gone": About(endpoint="tcp://127.0.0.1:1", public_key=b.public_key.decode())}
        bad = {"typo": About(endpoint="udp//x", public_key="short"), "none": About()}
        assert heard(a, b, nodes | bad) == {"b": WITHOUT}
    a.rest()
    assert a.turn(10, lambda: WITHOUT) == []


def test_an_endpoint_in_use_is_said(both: tuple[Peers, Peers]) -> None:
    with pytest.raises(PublishError, match="in use"):
        peers_of("c", f"tcp://127.0.0.1:{both[0].port}")
