"""The subscriber against a socket of its own making: odd messages, order, replay that fails."""

import threading

import msgspec
import pytest
import zmq
from msgspec.structs import replace

from engine.client import End, Face, Gap, Subscriber
from engine.contracts.messages import encode_header, topic_of
from engine.contracts.replay import ReplayAnswer, decode_request, encode_replay
from engine.errors import ConfigError, FatalError
from tests.publish.samples import context, end, face, stream_event


class Wire:
    """A PUSH socket that says what it is told to, in the name of ``run1``."""

    def __init__(self, opened):
        self.socket = opened.socket(zmq.PUSH)
        self.socket.bind("tcp://127.0.0.1:*")
        self.endpoint = self.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def say(self, message, seq, payloads=(), run_id="run1"):
        message = replace(message, run_id=run_id, seq=seq)
        self.socket.send_multipart([topic_of(message).encode(), encode_header(message), *payloads])

    def face(self, seq, stream="cam1", run_id="run1"):
        message, payloads = face(stream)
        self.say(message, seq, payloads, run_id)

    def end(self, run_id="run1", **last_seq):
        self.say(replace(end(), last_seq=last_seq), 0, run_id=run_id)

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
        stamped = replace(face()[0], run_id=run_id, seq=seq)
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
