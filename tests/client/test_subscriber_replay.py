"""What was missed is fetched: from services that answer, answer oddly, or are silent."""

import contextlib
import threading
import time

import msgspec
import zmq

from engine.client import Gap
from engine.client.sequence import Position
from engine.contracts.messages import encode_header, topic_of
from engine.contracts.replay import ReplayAnswer, decode_request, encode_replay
from tests.client.replay_service import answer_all, replaying
from tests.client.wire import Wire, seen, subscribed
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import as_sent, face
from tests.servers.ipv6 import needs_ipv6


def test_a_replay_service_that_is_silent_leaves_a_gap(wire):
    with wire.subscriber(replay="tcp://127.0.0.1:9", replay_timeout_seconds=0.05) as subscriber:
        wire.face(2)
        wire.end()
        assert seen(subscriber) == [(0, 1), 2, "End"]


def test_that_a_replay_service_does_not_answer_is_said_once(opened):
    """One with a wrong port was silent for ever, and all that was missed stayed so without a word."""
    told = []
    with (
        replaying(opened, lambda *_: None) as (endpoint, _),
        subscribed(opened, replay=endpoint, replay_timeout_seconds=0.05, tell=told.append) as (wire, subscriber),
    ):
        for seq in (5, 7, 9):
            wire.face(seq)
        wire.end(**{"face/cam1": 20})
        list(subscriber)
        assert told == [f"the replay service of {wire.endpoint} does not answer; missed messages stay missed"]


def test_why_a_replay_service_refuses_is_said(opened):
    def refuse(router, identity, request):
        answer = ReplayAnswer(request_id=request.request_id, status="refused", detail="this publisher's run is b, not run1")
        router.send_multipart([identity, encode_replay(answer)])

    told = []
    with (
        replaying(opened, refuse) as (endpoint, _),
        subscribed(opened, replay=endpoint, replay_timeout_seconds=PATIENCE_SECONDS, tell=told.append) as (wire, subscriber),
    ):
        for seq in (5, 7):
            wire.face(seq)
        wire.end()
        list(subscriber)
        (sentence,) = told
        assert "refuses: this publisher's run is b, not run1; missed messages stay missed" in sentence


def answer_once(router, steps):
    """Answer one request with noise, the answer to an older request, and then (seq, run_id, payloads) of ``steps``."""
    identity, body = router.recv_multipart()
    request_id = decode_request(body).request_id
    router.send_multipart([identity, b"noise"])
    router.send_multipart([identity, encode_replay(ReplayAnswer(request_id=request_id + 100, status="done", last_seq=99))])
    for seq, run_id, payloads in steps:
        stamped = as_sent(face()[0], seq, run_id)
        answer = ReplayAnswer(request_id=request_id, status="message", first_seq=seq, last_seq=seq)
        router.send_multipart([identity, encode_replay(answer), topic_of(stamped).encode(), encode_header(stamped), *payloads])
    done = ReplayAnswer(request_id=request_id, status="done", first_seq=0, last_seq=3)
    router.send_multipart([identity, encode_replay(done)])


@needs_ipv6
def test_publisher_and_replay_service_may_have_addresses_of_ipv6(opened):
    here = "tcp://[::1]:*"
    wire = Wire(opened, endpoint=here)
    with replaying(opened, answer_all, here) as (replay, _), wire.subscriber(replay=replay) as subscriber:
        wire.face(2)
        wire.end(**{"face/cam1": 2})
        assert seen(subscriber) == [0, 1, 2, "End"]
    wire.close()


def test_a_replay_answer_with_strangers_and_forgeries_gives_what_is_usable(wire, opened):
    router = opened.socket(zmq.ROUTER)
    router.bind("tcp://127.0.0.1:*")
    endpoint = router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    payloads = face()[1]
    steps = [(0, "run1", payloads), (1, "run0", payloads), (2, "run1", [b"x"] * 3), (3, "run1", payloads)]
    serving = threading.Thread(target=answer_once, args=(router, steps))
    serving.start()
    with wire.subscriber(replay=endpoint, replay_timeout_seconds=PATIENCE_SECONDS) as subscriber:
        wire.face(4)
        wire.end()
        assert seen(subscriber) == [0, (1, 2), 3, 4, "End"]
        assert subscriber.counters["replayed"] == 2
    serving.join(PATIENCE_SECONDS)
    router.close()


def test_refilling_what_cameras_send_is_bounded_by_what_comes_and_recordings_are_not(opened, monkeypatch):
    monkeypatch.setattr("engine.client.runs._REFILL_BURST", 4)
    for live, expected in (
        (True, [0, (1, 6), 7, 8, 9, 10, 11, (12, 19), 20, 21, 22, 23, 24, "End"]),
        (False, [*range(25), "End"]),
    ):
        with (
            replaying(opened, lambda *asked, live=live: answer_all(*asked, live=live)) as (endpoint, _),
            subscribed(opened, replay=endpoint, replay_timeout_seconds=PATIENCE_SECONDS, from_start=False) as (
                wire,
                subscriber,
            ),
        ):
            for seq in (0, 11, 21, 22, 24):
                wire.face(seq, live=live)
            wire.end(**{"face/cam1": 24})
            assert seen(subscriber) == expected


def test_what_comes_back_too_old_is_skipped_if_asked_for(opened):
    with (
        replaying(opened, lambda *asked: answer_all(*asked, age_seconds=7200)) as (endpoint, _),
        subscribed(opened, replay=endpoint, max_age_seconds=60, replay_timeout_seconds=PATIENCE_SECONDS) as (wire, subscriber),
    ):
        wire.face(3, live=True)
        wire.end(**{"face/cam1": 3})
        assert next(iter(subscriber)) == Gap("cam1", "face", 0, 2, stale=3, run_id="run1")
        assert subscriber.counters["stale"] == 3
        assert subscriber.counters["missed"] == subscriber.counters["replayed"] == 0


def test_a_silent_replay_service_is_asked_twice_and_then_left_alone(opened):
    with (
        replaying(opened, lambda *_: None) as (endpoint, asked),
        subscribed(opened, replay=endpoint, replay_timeout_seconds=0.5) as (wire, subscriber),
    ):
        for seq in (5, 7, 9, 11):
            wire.face(seq)
        wire.end(**{"face/cam1": 20})
        assert seen(subscriber) == [(0, 4), 5, (6, 6), 7, (8, 8), 9, (10, 10), 11, (12, 20), "End"]
    assert len(asked) == 2


def trickle(router, identity, request):
    """Answer with the first face that is asked for, and no more."""
    answer_all(router, identity, msgspec.structs.replace(request, to_seq=request.from_seq), live=False)


def test_a_replay_service_that_answers_bit_by_bit_is_asked_until_the_gap_is_closed(opened):
    with (
        replaying(opened, trickle) as (endpoint, asked),
        subscribed(opened, replay=endpoint, replay_timeout_seconds=PATIENCE_SECONDS) as (wire, subscriber),
    ):
        wire.face(5)
        wire.end()
        assert seen(subscriber) == [0, 1, 2, 3, 4, 5, "End"]
    assert [request.from_seq for request in asked] == [0, 1, 2, 3, 4]


def test_a_gap_takes_no_longer_than_eight_time_outs(opened):
    def late(router, identity, request):
        time.sleep(0.08)  # just within the time-out
        trickle(router, identity, request)

    with (
        replaying(opened, late) as (endpoint, asked),
        subscribed(opened, replay=endpoint, replay_timeout_seconds=0.1) as (wire, subscriber),
    ):
        wire.face(1000)
        wire.end()
        *_, gap, last, end_of_run = seen(subscriber)
    assert len(asked) <= 8 * 0.1 / 0.08 + 1
    assert (gap[1], last, end_of_run) == (999, 1000, "End")


def test_who_goes_on_asks_again_until_a_busy_service_answers(opened):
    """What was sent before is told by nobody else: of a run that had ended, a bridge learnt nothing."""
    silent = 4

    def slow(router, identity, request):
        if request.kind == "end" or len(asked) <= silent:
            return
        if request.from_seq > 6:
            done = ReplayAnswer(request_id=request.request_id, status="done", first_seq=request.from_seq, last_seq=6)
            router.send_multipart([identity, encode_replay(done)])
            return
        answer_all(router, identity, msgspec.structs.replace(request, to_seq=6))

    options = {"resume": Position("run1", {("cam1", "face"): 3}), "replay_timeout_seconds": 0.05, "timeout_seconds": 0.01}
    found, until = [], time.monotonic() + PATIENCE_SECONDS
    with replaying(opened, slow) as (endpoint, asked), subscribed(opened, replay=endpoint, **options) as (_, subscriber):
        while len(found) < 4 and time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                for item in subscriber:
                    found.append(item.message.seq)
    assert found == [3, 4, 5, 6]
