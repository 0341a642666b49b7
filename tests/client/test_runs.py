"""Several runs at one endpoint: one after another, or at a time, as through a proxy of ZeroMQ."""

import threading
import time
from contextlib import contextmanager, suppress

import pytest
import zmq

from engine.client import Face, Gap, Subscriber
from engine.client.runs import _MOST_RUNS, HeardRuns
from engine.client.sequence import Position
from tests.client.wire import Wire, subscribed
from tests.patience import PATIENCE_SECONDS, until
from tests.publish.samples import as_sent, face
from tests.publish.sender import sending


def told(items):
    """Return faces as (run, number), gaps as (run, first, last), others as (run, kind)."""
    found = []
    for item in items:
        if isinstance(item, Gap):
            found.append((item.run_id, item.first_seq, item.last_seq))
        else:
            said = item.message
            found.append((said.run_id, said.seq if isinstance(said, Face) else type(said).__name__))
    return found


@pytest.mark.parametrize("socket", [zmq.XPUB, zmq.PUSH])
def test_runs_that_go_on_at_a_time_are_counted_each_for_itself(opened, socket):
    """Each change from one to the other was a new run before: all that both had sent counted as missed again and again."""
    wire = Wire(opened, socket)
    options = {"socket": "pull"} if socket == zmq.PUSH else {}
    with Subscriber(wire.endpoint, timeout_seconds=PATIENCE_SECONDS, from_start=False, follow=True, **options) as subscriber:
        if socket == zmq.XPUB:
            for _ in range(4):
                wire.socket.recv()
        for seq in range(40, 44):
            wire.face(seq, run_id="run1")
            wire.face(2 * seq, run_id="run2")
        wire.end(run_id="run2", **{"face/cam1": 90})
        wire.face(45, run_id="run1")
        items = iter(subscriber)
        assert told(next(items) for _ in range(15)) == [
            ("run1", 40), ("run2", 80), ("run1", 41), ("run2", 81, 81), ("run2", 82), ("run1", 42), ("run2", 83, 83),
            ("run2", 84), ("run1", 43), ("run2", 85, 85), ("run2", 86), ("run2", 87, 90), ("run2", "End"),
            ("run1", 44, 44), ("run1", 45),
        ]  # fmt: skip
        assert subscriber.counters["missed"] == 3 + 4 + 1
        assert subscriber.counters["repeated"] == 0
    wire.close()


def test_streams_of_one_name_are_kept_apart_by_their_run(opened):
    with subscribed(opened, follow=True, from_start=True) as (wire, subscriber):
        for seq in (0, 1):
            wire.face(seq, run_id="run1")
            wire.face(seq, run_id="run2")
        items = iter(subscriber)
        assert told(next(items) for _ in range(4)) == [("run1", 0), ("run2", 0), ("run1", 1), ("run2", 1)]


def test_each_publisher_has_a_clock_of_its_own(opened, monkeypatch):
    """One whose clock is behind was taken for late, and all its faces were skipped."""
    monkeypatch.setattr("engine.client.age.is_loopback", lambda endpoint: False)
    with subscribed(opened, follow=True) as (wire, subscriber):
        for seq in range(3):
            wire.face(seq, run_id="run1", live=True)
            wire.face(seq, run_id="run2", age_seconds=3600, live=True)
        items = iter(subscriber)
        assert told(next(items) for _ in range(6)) == [(run, seq) for seq in range(3) for run in ("run1", "run2")]


def test_what_was_left_out_of_one_run_is_told_of_it_and_not_of_another(opened):
    with subscribed(opened, follow=True) as (wire, subscriber):
        wire.face(0, run_id="run1", live=True)
        wire.face(1, run_id="run1", live=True, age_seconds=7200)
        wire.face(0, run_id="run2", live=True)
        wire.face(2, run_id="run1", live=True)
        items = iter(subscriber)
        assert told(next(items) for _ in range(4)) == [("run1", 0), ("run1", 1, 1), ("run2", 0), ("run1", 2)]


def test_a_run_that_follows_another_one_is_counted_from_its_start(opened):
    """It follows where the other one has ended, or the connection was made anew; else it may have gone on for long."""
    runs = HeardRuns(False, None, lambda: None)

    def missing(run_id, seq, follows=False):
        if run_id not in runs:
            assert list(runs.begin(run_id, follows)) == []
        return runs.heard(run_id).sequence.arrived(as_sent(face()[0], seq, run_id))

    assert missing("run1", 40) == range(40, 40)
    assert missing("beside", 70) == range(70, 70)
    assert missing("run2", 2, follows=True) == range(0, 2)
    for run_id in ("run1", "beside", "run2"):
        runs.heard(run_id).is_over = True
    assert missing("run3", 3) == range(0, 3)


def test_who_goes_on_misses_all_runs_from_their_start():
    runs = HeardRuns(False, Position("run1", {("cam1", "face"): 5}), lambda: None)
    assert runs.newest == "run1"
    assert runs.heard("run1").sequence.arrived(as_sent(face()[0], 7, "run1")) == range(5, 7)
    list(runs.begin("run2", follows=False))
    assert runs.heard("run2").sequence.arrived(as_sent(face()[0], 1, "run2")) == range(0, 1)


def test_the_run_that_has_been_silent_for_longest_is_forgotten():
    runs = HeardRuns(False, None, lambda: None)
    for number in range(_MOST_RUNS):
        assert list(runs.begin(f"run{number}", follows=False)) == []
    runs.heard("run0").skipped.add(as_sent(face()[0], 3, "run0"), range(3, 3))
    assert list(runs.begin("last", follows=False)) == [Gap("cam1", "face", 3, 3, stale=1, run_id="run0")]
    assert ("run0" in runs, "run1" in runs, "last" in runs) == (True, False, True)


@contextmanager
def proxy(opened, *endpoints):
    """Yield where a proxy of ZeroMQ sends on what these publishers send."""
    inside, outside, control = opened.socket(zmq.XSUB), opened.socket(zmq.XPUB), opened.socket(zmq.PAIR)
    for endpoint in endpoints:
        inside.connect(endpoint)
    port = outside.bind_to_random_port("tcp://127.0.0.1")
    control.bind("inproc://control")
    steering = opened.socket(zmq.PAIR)
    steering.connect("inproc://control")

    def run():
        with suppress(zmq.ZMQError):
            zmq.proxy_steerable(inside, outside, None, control)
        for socket in (inside, outside, control):
            socket.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        steering.send(b"TERMINATE")
        thread.join(PATIENCE_SECONDS)
        steering.close()


def test_of_two_publishers_through_a_proxy_every_message_comes_or_is_said_to_be_lost_and_once(opened):
    with (
        sending(run_id="run1", stream="cam1", rate=100) as one,
        sending(run_id="run2", stream="cam1", rate=60) as other,
        proxy(opened, one.endpoint, other.endpoint) as endpoint,
        Subscriber(endpoint, follow=True, max_age_seconds=None, timeout_seconds=PATIENCE_SECONDS) as subscriber,
    ):
        until(lambda: all(sender.status()["topics"] for sender in (one, other)), "both are subscribed to")
        items, runs, deadline = [], set(), time.monotonic() + PATIENCE_SECONDS
        for item in subscriber:
            items.append(item)
            runs |= set() if isinstance(item, Gap) else {item.message.run_id}
            if (len(items) > 200 and len(runs) == 2) or time.monotonic() > deadline:
                break
    assert runs == {"run1", "run2"}
    for run_id in runs:
        numbers = []
        for item in items:
            if isinstance(item, Gap) and item.run_id == run_id:
                numbers += range(item.first_seq, item.last_seq + 1)
            elif not isinstance(item, Gap) and item.message.run_id == run_id:
                numbers.append(item.message.seq)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert sum(not isinstance(item, Gap) for item in items) > len(items) / 2
