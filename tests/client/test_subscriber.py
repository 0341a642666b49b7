"""The subscriber against a socket of its own making: odd messages, order, replay that fails."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import zmq

from engine.client import End, Face, Gap, Subscriber
from engine.contracts.messages import encode_header, topic_of
from engine.contracts.replay import ReplayAnswer, decode_request, encode_replay
from engine.errors import ConfigError, FatalError
from tests.publish.samples import as_sent, context, end, face, stream_event, track


class Wire:
    """A PUSH or XPUB socket that says what it is told to, in the name of ``run1``."""

    def __init__(self, opened, kind=zmq.PUSH):
        self.socket = opened.socket(kind)
        self.socket.bind("tcp://127.0.0.1:*")
        self.endpoint = self.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def say(self, body, seq, payloads=(), run_id="run1", **fields):
        message = as_sent(body, seq, run_id, **fields)
        self.socket.send_multipart([topic_of(message).encode(), encode_header(message), *payloads])

    def face(self, seq, stream="cam1", run_id="run1", age_seconds=0.0, live=False):
        message, payloads = face(stream)
        sent_ns = time.time_ns() - int(age_seconds * 1e9)
        self.say(message, seq, payloads, run_id, sent_ns=sent_ns, live=live)

    def end(self, run_id="run1", **last_seq):
        self.say(end(), 0, run_id=run_id, last_seq=last_seq)

    def subscriber(self, **options):
        return Subscriber(self.endpoint, socket="pull", **({"timeout_seconds": 10} | options))


@pytest.fixture
def opened():
    made = context()
    yield made
    made.term()


@pytest.fixture
def wire(opened):
    made = Wire(opened)
    yield made
    made.socket.close()


@contextmanager
def subscribed(opened, **options):
    """Yield an XPUB wire and a subscriber that is connected to it."""
    wire = Wire(opened, zmq.XPUB)
    try:
        with Subscriber(wire.endpoint, **({"timeout_seconds": 10, "kinds": ("face", "track", "end")} | options)) as subscriber:
            for _ in range(3):
                assert wire.socket.poll(10_000)
                wire.socket.recv()
            yield wire, subscriber
    finally:
        wire.socket.close()


def seen(subscriber):
    """Return faces as numbers, gaps as pairs, others as their kind."""
    found = []
    for item in subscriber:
        if isinstance(item, Gap):
            found.append((item.first_seq, item.last_seq))
        else:
            found.append(item.message.seq if isinstance(item.message, Face) else type(item.message).__name__)
    return found


def test_gaps_come_where_they_are_and_at_the_end(wire):
    with wire.subscriber() as subscriber:
        for seq in (2, 3, 6):
            wire.face(seq)
        wire.end(**{"face/cam1": 8})
        assert seen(subscriber) == [(0, 1), 2, 3, (4, 5), 6, (7, 8), "End"]
        assert subscriber.counters == {
            "messages": 4, "missed": 6, "stale": 0, "replayed": 0, "malformed": 0, "repeated": 0,
        }  # fmt: skip


def test_who_comes_late_on_purpose_misses_nothing(wire):
    with wire.subscriber(from_start=False) as subscriber:
        wire.face(40)
        wire.face(42)
        wire.end(**{"face/cam1": 42, "face/cam2": 99})
        assert seen(subscriber) == [40, (41, 41), 42, "End"]


def test_unreadable_messages_are_counted_and_the_rest_goes_on(wire):
    with wire.subscriber() as subscriber:
        wire.face(0)
        wire.socket.send(b"hello")
        wire.socket.send_multipart([b"v1/face/cam1/1/", b"\xc1"])
        message, payloads = face()
        wire.say(message, 1, [b"forged", *payloads[1:]])
        wire.face(2)
        wire.end(**{"face/cam1": 2})
        assert seen(subscriber) == [0, (1, 1), 2, "End"]
        assert subscriber.counters["malformed"] == 3
        assert "SHA-256" in subscriber.last_malformed


def test_only_the_kinds_and_streams_that_are_asked_for(wire):
    with wire.subscriber(kinds=("face", "end"), streams=("cam1",)) as subscriber:
        wire.say(stream_event("cam1"), 0)
        wire.face(0, "cam10")
        wire.face(0, "cam1")
        wire.end(**{"face/cam1": 0, "face/cam10": 7, "stream/cam1": 9})
        assert seen(subscriber) == [0, "End"]


def test_following_goes_on_with_the_next_run(wire):
    with wire.subscriber(follow=True, timeout_seconds=10) as subscriber:
        wire.face(0)
        wire.end(**{"face/cam1": 0})
        wire.face(0, run_id="run2")
        wire.end(run_id="run2", **{"face/cam1": 1})
        items = iter(subscriber)
        got = [next(items) for _ in range(5)]
        assert [type(item.message) if not isinstance(item, Gap) else item for item in got] == [
            Face, End, Face, Gap("cam1", "face", 1, 1), End,
        ]  # fmt: skip


def test_silence_is_an_error_and_not_an_end(wire):
    with wire.subscriber(timeout_seconds=0.05) as subscriber, pytest.raises(TimeoutError, match="no message from tcp://"):
        list(subscriber)


def test_another_version_of_the_wire_stops_with_a_sentence(wire):
    with wire.subscriber() as subscriber:
        wire.socket.send_multipart([b"v2/face/", msgspec.msgpack.encode({"schema": "facestream/9"})])
        with pytest.raises(FatalError, match="facestream/9"):
            list(subscriber)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["faces"]}, "unknown kind faces: use some of face, track"),
        ({"streams": ["a/b"]}, "is not usable in a topic"),
        ({"replay": "nowhere"}, "cannot connect to"),
    ],
)
def test_wrong_arguments_are_one_sentence(options, message):
    with pytest.raises(ConfigError, match=message):
        Subscriber("tcp://127.0.0.1:5556", **options)


def test_a_wrong_endpoint_is_one_sentence():
    with pytest.raises(ConfigError, match="cannot connect to 5556"):
        Subscriber("5556")


def test_a_replay_service_that_is_silent_leaves_a_gap(wire):
    with wire.subscriber(replay="tcp://127.0.0.1:9", replay_timeout_seconds=0.05) as subscriber:
        wire.face(2)
        wire.end()
        assert seen(subscriber) == [(0, 1), 2, "End"]


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


def test_a_replay_answer_with_strangers_and_forgeries_gives_what_is_usable(wire, opened):
    router = opened.socket(zmq.ROUTER)
    router.bind("tcp://127.0.0.1:*")
    endpoint = router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    payloads = face()[1]
    steps = [(0, "run1", payloads), (1, "run0", payloads), (2, "run1", [b"x"] * 3), (3, "run1", payloads)]
    serving = threading.Thread(target=answer_once, args=(router, steps))
    serving.start()
    with wire.subscriber(replay=endpoint, replay_timeout_seconds=10) as subscriber:
        wire.face(4)
        wire.end()
        assert seen(subscriber) == [0, (1, 2), 3, 4, "End"]
        assert subscriber.counters["replayed"] == 2
    serving.join(10)
    router.close()


def test_old_faces_of_cameras_are_skipped_and_reported_as_one_gap(opened):
    with subscribed(opened) as (wire, subscriber):
        wire.face(0, live=True)
        wire.face(1, age_seconds=5, live=True)
        wire.face(2, age_seconds=4, live=True)
        wire.face(4, age_seconds=3, live=True)
        wire.face(0, "cam2", age_seconds=3, live=True)
        wire.face(5, live=True)
        wire.face(6, age_seconds=2, live=True)
        wire.end(**{"face/cam1": 7, "face/cam2": 0})
        items = list(subscriber)
    assert [item for item in items if isinstance(item, Gap)] == [
        Gap("cam1", "face", 1, 4, stale=3), Gap("cam1", "face", 6, 7, stale=1), Gap("cam2", "face", 0, 0, stale=1),
    ]  # fmt: skip
    assert [item.message.seq for item in items if not isinstance(item, Gap)] == [0, 5, 0]
    assert subscriber.counters["stale"] == 5
    assert subscriber.counters["missed"] == 2


@pytest.mark.parametrize(("live", "options"), [(False, {}), (True, {"max_age_seconds": None}), (True, {"max_age_seconds": 60})])
def test_faces_of_recordings_are_never_skipped_and_a_limit_is_a_choice(opened, live, options):
    with subscribed(opened, **options) as (wire, subscriber):
        for seq in range(3):
            wire.face(seq, age_seconds=30, live=live)
        wire.end(**{"face/cam1": 2})
        assert seen(subscriber) == [0, 1, 2, "End"]


def test_tracks_and_the_end_are_never_skipped(opened):
    with subscribed(opened) as (wire, subscriber):
        message, payloads = track()
        wire.say(message, 0, payloads, sent_ns=1)
        wire.end()
        assert seen(subscriber) == ["Track", "End"]


def test_a_lossless_socket_skips_nothing(wire):
    with wire.subscriber() as subscriber:
        wire.face(0, age_seconds=3600, live=True)
        wire.end(**{"face/cam1": 0})
        assert seen(subscriber) == [0, "End"]


def test_the_gap_of_a_run_that_was_cut_comes_before_the_next_run(opened):
    with subscribed(opened) as (wire, subscriber):
        wire.face(7, live=True)
        wire.face(8, age_seconds=5, live=True)
        wire.face(1, run_id="run2", live=True)
        wire.face(2, run_id="run2", live=True)
        wire.end(run_id="run2", **{"face/cam1": 2})
        assert seen(subscriber) == [7, (8, 8), (0, 0), 1, 2, "End"]


@contextmanager
def replaying(opened, answer):
    """Yield the endpoint of a replay service whose every request is answered by ``answer(router, identity, request)``."""
    router, stop = opened.socket(zmq.ROUTER), threading.Event()
    router.bind("tcp://127.0.0.1:*")
    asked = []

    def serve():
        while not stop.is_set():
            if router.poll(20):
                identity, body = router.recv_multipart()
                asked.append(decode_request(body))
                answer(router, identity, asked[-1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode(), asked
    finally:
        stop.set()
        thread.join(10)
        router.close()


def answer_all(router, identity, request, age_seconds=0.0, live=True):
    """Answer with every face that is asked for."""
    message, payloads = face()
    for seq in range(request.from_seq, request.to_seq + 1):
        sent_ns = time.time_ns() - int(age_seconds * 1e9)
        stamped = as_sent(message, seq, live=live, sent_ns=sent_ns)
        answer = ReplayAnswer(request_id=request.request_id, status="message", first_seq=seq, last_seq=seq)
        router.send_multipart([identity, encode_replay(answer), topic_of(stamped).encode(), encode_header(stamped), *payloads])
    fields = {"first_seq": request.from_seq, "last_seq": request.to_seq}
    router.send_multipart([identity, encode_replay(ReplayAnswer(request_id=request.request_id, status="done", **fields))])


def test_refilling_what_cameras_send_is_bounded_by_what_comes_and_recordings_are_not(opened, monkeypatch):
    monkeypatch.setattr("engine.client.subscriber._REFILL_BURST", 4)
    for live, expected in (
        (True, [0, (1, 6), 7, 8, 9, 10, 11, (12, 19), 20, 21, 22, 23, 24, "End"]),
        (False, [*range(25), "End"]),
    ):
        with (
            replaying(opened, lambda *asked, live=live: answer_all(*asked, live=live)) as (endpoint, _),
            subscribed(opened, replay=endpoint, replay_timeout_seconds=10, from_start=False) as (wire, subscriber),
        ):
            for seq in (0, 11, 21, 22, 24):
                wire.face(seq, live=live)
            wire.end(**{"face/cam1": 24})
            assert seen(subscriber) == expected


def test_what_comes_back_too_old_is_skipped_if_asked_for(opened):
    with (
        replaying(opened, lambda *asked: answer_all(*asked, age_seconds=2)) as (endpoint, _),
        subscribed(opened, replay=endpoint, max_age_seconds=1.0, replay_timeout_seconds=10) as (wire, subscriber),
    ):
        wire.face(3, live=True)
        wire.end(**{"face/cam1": 3})
        assert next(iter(subscriber)) == Gap("cam1", "face", 0, 2, stale=3)
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
        subscribed(opened, replay=endpoint, replay_timeout_seconds=5) as (wire, subscriber),
    ):
        wire.face(5)
        wire.end()
        assert seen(subscriber) == [0, 1, 2, 3, 4, 5, "End"]
    assert [request.from_seq for request in asked] == [0, 1, 2, 3, 4]


def test_a_gap_takes_no_longer_than_eight_time_outs(opened, monkeypatch):
    def late(router, identity, request):
        time.sleep(0.08)  # just within the time-out
        trickle(router, identity, request)

    with (
        replaying(opened, late) as (endpoint, _),
        subscribed(opened, replay=endpoint, replay_timeout_seconds=0.1) as (wire, subscriber),
    ):
        wire.face(1000)
        wire.end()
        begun = time.monotonic()
        *_, gap, last, end_of_run = seen(subscriber)
        assert time.monotonic() - begun < 2
    assert (gap[1], last, end_of_run) == (999, 1000, "End")


def test_subscribers_of_a_process_share_threads_and_leave_no_file_open(wire):
    def held():
        return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))

    with wire.subscriber(replay="tcp://127.0.0.1:9"):
        first = held()
    for _ in range(30):
        with wire.subscriber(replay="tcp://127.0.0.1:9"):
            assert held()[1] <= first[1]
    deadline = time.monotonic() + 10
    while held()[0] > first[0]:  # sockets are closed by another thread, a moment later
        assert time.monotonic() < deadline


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_an_age_that_is_none_is_refused(seconds):
    with pytest.raises(ConfigError, match="use a number of seconds above 0, or None"):
        Subscriber("tcp://127.0.0.1:5556", max_age_seconds=seconds)


def test_a_message_that_is_too_large_is_counted_and_the_rest_goes_on(wire):
    """Its frames are each within the limit; all of them are not."""
    size = sum(map(len, face()[1]))
    with wire.subscriber(max_message_bytes=size) as subscriber:
        wire.face(0)
        wire.say(stream_event(state="ended"), 0)
        wire.end()
        assert [type(item).__name__ for item in subscriber if not isinstance(item, Gap)] == ["Received", "Received"]
        assert subscriber.counters["malformed"] == 1
        assert subscriber.last_malformed.endswith(f"more than the {size:,} of max_message_bytes")


def test_a_frame_that_is_too_large_is_one_sentence_and_not_a_silence_for_ever(wire):
    """libzmq cuts the connection without a word and does not connect again."""
    with wire.subscriber(max_message_bytes=10_000, timeout_seconds=None) as subscriber:
        items = iter(subscriber)
        wire.say(stream_event(), 0)
        assert next(items).message.state == "live"
        wire.socket.send_multipart([b"v1/face/cam1/1/", bytes(20_000)])
        with pytest.raises(FatalError, match=r"was cut: .* a frame of more than 10,000 bytes; .* set max_message_bytes higher"):
            next(items)


def test_a_publisher_that_comes_back_is_no_cut_connection(opened):
    first = Wire(opened)
    with first.subscriber(follow=True) as subscriber:
        items = iter(subscriber)
        first.say(stream_event(), 0)
        assert next(items).message.run_id == "run1"
        first.socket.close()
        assert not subscriber._connection.wait(1.5)
        second = opened.socket(zmq.PUSH)
        second.bind(first.endpoint)
        first.socket = second
        first.say(stream_event(), 0, run_id="run2")
        assert next(items).message.run_id == "run2"
        second.close()


@pytest.mark.parametrize("limit", ["max_message_bytes", "max_picture_px"])
def test_a_limit_must_be_above_zero(limit):
    with pytest.raises(ConfigError, match=f"{limit} is 0: use a whole number above 0"):
        Subscriber("tcp://127.0.0.1:9", **{limit: 0})
