"""Who is behind when a run ends still gets what is on its way, and its end."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import zmq

from engine.config import PublishConfig
from engine.contracts.messages import decode_header
from engine.contracts.replay import ReplayRequest, encode_replay
from engine.publish import farewell
from engine.publish.opening import open_publisher
from engine.publish.patience import Patience
from tests.publish.samples import context, end, face

FACES = 1_500
"""More than queues and buffers hold."""


@contextmanager
def published(transport, folder, kind, **config):
    """Yield a publisher, a socket that is connected to it and has taken nothing of ``FACES`` faces and an end, and the
    sentences that the publisher says."""
    endpoint = "tcp://127.0.0.1:*" if transport == "tcp" else f"ipc://{folder}/sock/faces"
    said = []
    config = PublishConfig(endpoint=endpoint, socket="pub" if kind == zmq.SUB else "push", **config)
    opened = context()
    reader = opened.socket(kind)
    reader.setsockopt(zmq.RCVHWM, 8)
    try:
        with open_publisher(config, "run1", warn=said.append) as publisher:
            if kind == zmq.SUB:
                reader.subscribe(b"")
            reader.connect(publisher.bound_endpoint)
            assert publisher.wait_for_subscriber(60)
            yield publisher, reader, said
    finally:
        reader.close(linger=0)
        opened.term()


class Taking:
    """Takes some messages whenever it is asked whether to stop, and no more than ``most``."""

    def __init__(self, reader, at_once=100, most=FACES + 2):
        self.reader, self.at_once, self.most, self.taken = reader, at_once, most, []

    def __call__(self):
        for _ in range(self.at_once):
            if len(self.taken) < self.most and self.reader.poll(0):
                self.taken.append(decode_header(self.reader.recv_multipart()[1]))
        return False

    def kinds(self):
        return [type(message).__name__ for message in self.taken]


def send_all(publisher, should_stop=lambda: False):
    message, payloads = face()
    for _ in range(FACES):
        publisher.send(message, payloads, should_stop)
    publisher.send(end(), [], should_stop)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_a_slow_reader_whose_queue_was_full_is_told_that_the_run_is_over(transport, tmp_path):
    with published(transport, tmp_path, zmq.SUB) as (publisher, reader, _):
        send_all(publisher)
        taking = Taking(reader)
        publisher.see_off(taking)
        publisher.close(5_000)
        while "End" not in taking.kinds() and reader.poll(5_000):
            taking()
    assert "End" in taking.kinds()
    assert 0 < taking.kinds().count("Face") < FACES


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_a_slow_reader_of_push_gets_everything_however_long_it_takes(transport, tmp_path, monkeypatch):
    monkeypatch.setattr(farewell, "_MOST_SECONDS", 0.0)
    monkeypatch.setattr(farewell, "_QUIET_SECONDS", 0.0)
    with published(transport, tmp_path, zmq.PULL) as (publisher, reader, _):
        taking = Taking(reader, most=FACES - 100)
        send_all(publisher, taking)
        taking.most = FACES + 1
        publisher.see_off(taking)
        publisher.close(0)
        while reader.poll(1_000):
            taking()
    assert [message.seq for message in taking.taken[:-1]] == list(range(FACES))
    assert taking.kinds()[-1] == "End"


def test_who_takes_nothing_is_given_up_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(farewell, "_QUIET_SECONDS", 0.2)
    with published("tcp", tmp_path, zmq.SUB) as (publisher, _, said):
        send_all(publisher)
        publisher.see_off()
        publisher.close(0)
    reader = f"a reader at {publisher.bound_endpoint}"
    assert said[-1] == f"{reader} was behind to the end: what it had not taken is lost for it"
    # Where the kernel has still moved bytes meanwhile.
    assert said[:-1] in ([], [f"{reader} is behind: the run stays for it, 30 s at most"])


def test_heartbeats_to_who_takes_nothing_are_no_sign_of_its_life(monkeypatch):
    sizes, said = iter(range(90_000, 10**9, 8_192)), []
    monkeypatch.setattr(farewell, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(farewell, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(farewell, "_MOST_SECONDS", float("inf"))
    monkeypatch.setattr(farewell, "under_way", lambda _: {"reader": next(sizes)})
    seeing_off = farewell.Farewell("tcp://192.0.2.1:5556", "", Patience(said.append), is_push=False)
    while seeing_off.lasts(0):
        pass
    seeing_off.end()
    assert "was behind to the end" in said[-1]


def test_that_the_run_stays_for_a_reader_is_said_once(monkeypatch):
    under_way, said = [{"reader": size} for size in range(90_000, 0, -100)], []
    monkeypatch.setattr(farewell, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(farewell, "_MOST_SECONDS", float("inf"))
    monkeypatch.setattr(farewell, "under_way", lambda _: under_way.pop(0) if under_way else {})
    seeing_off = farewell.Farewell("tcp://192.0.2.1:5556", "", Patience(said.append), is_push=False)
    seeing_off._begun -= farewell._QUIET_SECONDS
    while seeing_off.lasts(0):
        pass
    seeing_off.end()
    assert said == ["a reader at tcp://192.0.2.1:5556 is behind: the run stays for it, inf s at most"]


@pytest.mark.parametrize("kind", [zmq.SUB, zmq.PULL])
def test_a_run_that_is_stopped_stays_for_nobody_and_says_what_that_costs(kind, tmp_path):
    with published("tcp", tmp_path, kind) as (publisher, _, said):
        send_all(publisher, lambda: True)
        publisher.see_off(lambda: True)
        publisher.close(0)
    assert said == [f"a reader at {publisher.bound_endpoint} was behind to the end: what it had not taken is lost for it"]


def test_a_reader_that_keeps_up_is_told_once(tmp_path):
    with published("tcp", tmp_path, zmq.SUB) as (publisher, reader, _):
        publisher.send(*face())
        publisher.send(end(), [])
        taking = Taking(reader)
        publisher.see_off(taking)
        publisher.close(5_000)
        while reader.poll(200):
            taking()
    assert taking.kinds() == ["Face", "End"]


@pytest.mark.parametrize("looks", [[], ["near"], ["near", "far"]])
def test_what_is_sent_again_makes_nobody_behind_who_is_sent_it_again(looks, monkeypatch):
    """Readers whose answers take longer than the time from one look to the next have something on its way after each."""
    under_way = [{"near": 900, "far": 900}, {"far": 900}, {}]
    monkeypatch.setattr(farewell, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(farewell, "under_way", lambda _: under_way.pop(0) if under_way else {})
    seeing_off, ends = farewell.Farewell("tcp://192.0.2.1:5556", "", Patience([].append), is_push=False), 0
    while seeing_off.lasts(0):
        if seeing_off.caught_up:
            ends += 1
            under_way = [dict.fromkeys(looks, 300), dict.fromkeys(looks, 300), {}]
    assert ends == 2


def test_what_was_missed_is_still_replayed_while_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(farewell, "_QUIET_SECONDS", 0.5)
    with published("tcp", tmp_path, zmq.SUB, replay=f"ipc://{tmp_path}/sock/replay") as (publisher, reader, _):
        publisher.send(*face())
        publisher.send(end(), [])
        with reader.context.socket(zmq.DEALER) as asker:
            asker.connect(publisher.bound_replay)
            request = encode_replay(ReplayRequest(request_id=1, stream="cam1", kind="face", from_seq=0))
            answers = []

            def ask_once_more():
                """Three times, each after the answer to the one before."""
                if len(answers) < 3 and asker.poll(0, zmq.POLLIN) == 0 and ask_once_more.open <= 0:
                    asker.send(request)
                    ask_once_more.open += 2  # the message, and that it is done
                while asker.poll(0):
                    answers.append(asker.recv_multipart())
                    ask_once_more.open -= 1
                return False

            ask_once_more.open = 0
            publisher.see_off(ask_once_more)
        publisher.close(0)
    assert len(answers) >= 4
