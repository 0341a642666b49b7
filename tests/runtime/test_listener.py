from __future__ import annotations

import multiprocessing as mp
import os

import pytest

from engine.errors import WorkerError
from engine.runtime import listener as module
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.codec import Codec
from engine.runtime.listener import Listener, connect
from engine.runtime.protocol import PROTOCOL, Drain, Taken
from tests.patience import PATIENCE_SECONDS

CODEC = Codec(PROTOCOL)


def accepted(listener: Listener) -> Channel:
    channel = listener.accept()
    assert channel is not None
    return channel


def test_who_calls_before_anybody_answers_is_answered():
    listener = Listener(CODEC)
    callers = [connect(listener.address, CODEC) for _ in range(3)]
    for number, caller in enumerate(callers):
        caller.send(Taken(number))
    answers = [accepted(listener) for _ in callers]
    assert [answer.receive() for answer in answers] == [Taken(number) for number in range(3)]
    answers[1].send(Drain("drained"))
    assert callers[1].receive() == Drain("drained")
    answers[0].close()
    with pytest.raises(ChannelClosed):
        callers[0].receive()
    for end in (*callers, *answers, listener):
        end.close()


def answer_once(listener: Listener) -> None:
    channel = accepted(listener)
    channel.send(Taken(os.getpid()))


def test_who_answers_may_change_and_the_address_stays():
    listener, answered = Listener(CODEC), set[int]()
    for _ in range(2):
        caller = connect(listener.address, CODEC)
        process = mp.get_context("spawn").Process(target=answer_once, args=(listener,))
        process.start()
        answered.add(caller.receive().count)
        process.join(PATIENCE_SECONDS)
        with pytest.raises(ChannelClosed):
            caller.receive()
        caller.close()
    listener.close()
    assert len(answered) == 2


def test_nothing_is_left_where_nobody_listens_any_more():
    listener = Listener(CODEC)
    address = listener.address
    listener.close()
    with pytest.raises(WorkerError, match="cannot be reached: Connection refused"):
        connect(address, CODEC)


def test_another_user_gets_no_answer(monkeypatch: pytest.MonkeyPatch):
    listener = Listener(CODEC)
    caller = connect(listener.address, CODEC)
    monkeypatch.setattr(module.os, "geteuid", lambda: 4711)
    assert listener.accept() is None
    with pytest.raises(WorkerError, match="belongs to another user"):
        connect(listener.address, CODEC)
    caller.close()
    listener.close()
