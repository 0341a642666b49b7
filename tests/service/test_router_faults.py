"""Faults of ours and of the disk: the control plane goes on, and says so."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from engine.control.answers import Done, Problem, Reply, Status, Stream
from engine.control.client import ControlClient, ControlError
from engine.control.verbs import PROTOCOL, AnyVerb, GetStatus, PauseStream, Request, encode_request
from engine.runtime.bell import Bell
from engine.service.build import Parts
from engine.service.caller import Caller
from engine.service.router import Router
from tests.patience import PATIENCE_SECONDS
from tests.service.parts import SOURCES, Says, service_in


@pytest.fixture
def says() -> Says:
    return Says()


@pytest.fixture
def parts(tmp_path: Path, says: Says) -> Iterator[Parts]:
    with service_in(tmp_path, says, SOURCES) as opened:
        yield opened


@pytest.fixture
def router(parts: Parts, says: Says) -> Iterator[Router]:
    opened = Router(parts.service, parts.directory, parts.config.serve, says.warn)
    yield opened
    opened.close()


@pytest.fixture
def client(router: Router, parts: Parts) -> Iterator[ControlClient]:
    with ControlClient(parts.directory.control) as opened:
        yield opened


@pytest.mark.parametrize("verb", [GetStatus(), PauseStream(name="one")])
def test_a_fault_of_ours_is_an_answer_and_the_next_one_is_answered(
    client: ControlClient, parts: Parts, says: Says, monkeypatch: pytest.MonkeyPatch, verb: AnyVerb
) -> None:
    def fails(request: Request, caller: Caller) -> Reply:
        raise RuntimeError("of ours")

    with monkeypatch.context() as patched:
        patched.setattr(parts.service, "answer", fails)
        for _ in range(20):  # more than may be under way
            with pytest.raises(ControlError, match="the log of the service says why") as caught:
                client.call(verb, Done)
            assert caught.value.code == "failed"
    assert client.call(GetStatus(), Status).state == "starting"
    assert len(says.sentences) == 1
    assert "of ours" in says.sentences[0]


@pytest.mark.parametrize(
    ("problem", "code", "message"),
    [
        (Problem(code="refused", message="cannot read /caf\udce9.jpg"), "refused", r"cannot read /caf\udce9.jpg"),
        (Problem(code="not_found", message="no", field="\ud800"), "not_found", "no"),
        (None, "failed", "the log of the service says why"),
    ],
)
def test_an_answer_that_quotes_what_is_not_utf_8(
    client: ControlClient, parts: Parts, says: Says, monkeypatch: pytest.MonkeyPatch, problem: Problem | None, code: str,
    message: str,
) -> None:  # fmt: skip
    def answer(request: Request, caller: Caller) -> Reply:
        result = None if problem else Done(note="caf\udce9")
        return Reply(request_id=request.request_id, result=result, problem=problem)

    with monkeypatch.context() as patched:
        patched.setattr(parts.service, "answer", answer)
        told = client.ask(GetStatus()).problem
    assert told is not None
    assert told.code == code
    assert message in told.message
    assert client.call(GetStatus(), Status)
    assert "an answer could not be written" in says.sentences[0]


def test_a_fault_of_a_whole_turn_is_said_and_the_thread_goes_on(
    client: ControlClient, router: Router, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_done, faults = router._send_done, [OSError("of the turn")]
    monkeypatch.setattr("engine.service.router._TURN_MS", 1)

    def fails_once() -> None:
        if faults:
            raise faults.pop()
        send_done()

    monkeypatch.setattr(router, "_send_done", fails_once)
    for _ in range(2):
        assert client.call(GetStatus(), Status)
    assert [one for one in says.sentences if "of the turn" in one] == says.sentences[:1]


def test_who_waits_for_the_audit_log_keeps_nobody_else_waiting(client: ControlClient, parts: Parts) -> None:
    client.call(PauseStream(name="one"), Stream)
    with parts.directory.audit.open("rb") as log, zmq.Context() as context, context.socket(zmq.DEALER) as other:
        fcntl.flock(log, fcntl.LOCK_EX)
        other.setsockopt(zmq.LINGER, 0)
        other.connect(parts.directory.control)
        other.send_multipart([PROTOCOL, encode_request(Request(request_id="1", verb=PauseStream(name="two")))])
        while "two" not in parts.state.desired.paused:
            assert client.call(GetStatus(), Status, seconds=20.0), "else it waits for half a minute"
        assert client.call(GetStatus(), Status, seconds=20.0)
        assert not other.poll(0), "it waits still"
        fcntl.flock(log, fcntl.LOCK_UN)
        assert other.poll(1000 * PATIENCE_SECONDS)


def test_a_bell_that_is_closed_writes_into_nothing() -> None:
    bell = Bell()
    bell.ring()
    bell.hush()
    bell.hush()
    number = bell.fileno()
    bell.close()
    foreign = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        if foreign != number:
            os.dup2(foreign, number)
        bell.ring()
        bell.close()
        with pytest.raises(BlockingIOError):
            os.eventfd_read(number)
    finally:
        os.close(number)
        if foreign != number:
            os.close(foreign)
