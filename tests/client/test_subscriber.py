"""The subscriber against a socket of its own making: odd messages, gaps and order."""

import asyncio
import os

import msgspec
import pytest

from engine.client import End, Face, Gap, Subscriber
from engine.errors import ConfigError, FatalError
from tests.client.wire import seen
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import open_files
from tests.publish.samples import face, stream_event
from tests.together import repeatedly


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


def test_one_that_is_closed_says_so(wire):
    with wire.subscriber() as subscriber:
        wire.end()
        assert seen(subscriber) == ["End"]
    with pytest.raises(ValueError, match="is closed: read it inside its `with`, or make another"):
        next(iter(subscriber))

    async def read() -> None:
        await anext(aiter(subscriber))

    with pytest.raises(ValueError, match="is closed"):
        asyncio.run(read())


def test_following_goes_on_with_the_next_run(wire):
    with wire.subscriber(follow=True, timeout_seconds=PATIENCE_SECONDS) as subscriber:
        wire.face(0)
        wire.end(**{"face/cam1": 0})
        wire.face(0, run_id="run2")
        wire.end(run_id="run2", **{"face/cam1": 1})
        items = iter(subscriber)
        got = [next(items) for _ in range(5)]
        assert [type(item.message) if not isinstance(item, Gap) else item for item in got] == [
            Face, End, Face, Gap("cam1", "face", 1, 1, run_id="run2"), End,
        ]  # fmt: skip


def test_silence_is_an_error_and_not_an_end(wire):
    with wire.subscriber(timeout_seconds=0.05) as subscriber, pytest.raises(TimeoutError, match="no message from tcp://"):
        list(subscriber)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("what", ["unreadable", "another stream", "another kind", "repeated"])
def test_what_is_not_for_this_reader_does_not_end_the_silence(wire, what, is_async):
    """A bridge of other kinds could not be stopped, and did not write down what it had."""
    say = {
        "unreadable": lambda: wire.socket.send(b"noise"),
        "another stream": lambda: wire.face(0, "cam2"),
        "another kind": lambda: wire.say(stream_event("cam1"), 0),
        "repeated": lambda: wire.face(0),
    }[what]

    async def read(subscriber):
        return [item async for item in subscriber]

    options = {"kinds": ("face", "end"), "streams": ["cam1"], "timeout_seconds": 0.3, "tell": lambda _: None}
    with (
        wire.subscriber(**options) as subscriber,
        repeatedly(say, 0.001),
        pytest.raises(TimeoutError, match="no message from tcp://"),
    ):
        asyncio.run(read(subscriber)) if is_async else list(subscriber)


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
        ({"kinds": "face"}, r'kinds is the text \'face\': use a list, as \["face"\]'),
        ({"streams": "cam1"}, r'streams is the text \'cam1\': use a list, as \["cam1"\]'),
        ({"streams": ""}, r'streams is the text \'\': use a list, as \["door"\]'),
        ({"kinds": []}, "kinds is empty, so nothing would come"),
        ({"streams": iter(())}, "streams is empty, so nothing would come"),
        ({"socket": "pub"}, "socket is 'pub': use \"sub\" to read from a pub endpoint"),
        ({"timeout_seconds": -1}, "timeout_seconds is -1: use a number of seconds from 0 on"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds is nan"),
        ({"replay_timeout_seconds": 0}, "replay_timeout_seconds is 0: use a number above 0, 86,400 at most"),
        ({"gone_seconds": 0}, "gone_seconds is 0: use a number of seconds above 0, 86,400 at most, or None"),
        ({"replay_timeout_seconds": 1e300}, "use a number above 0, 86,400 at most"),
        ({"max_message_bytes": 2**63}, "use a whole number above 0, of 63 bits at most"),
        ({"max_message_bytes": 64e6}, "max_message_bytes is 64000000.0: use a whole number"),
        ({"replay": "nowhere"}, "cannot connect to"),
    ],
)
def test_wrong_arguments_are_one_sentence(options, message):
    with pytest.raises(ConfigError, match=message):
        Subscriber("tcp://127.0.0.1:5556", **options)


def test_a_wrong_endpoint_is_one_sentence():
    with pytest.raises(ConfigError, match="cannot connect to 5556"):
        Subscriber("5556")


def test_subscribers_of_a_process_share_threads_and_leave_no_file_open(wire):
    def threads():
        return set(os.listdir("/proc/self/task"))

    with wire.subscriber(replay="tcp://127.0.0.1:9"):
        files, first = open_files(), threads()
    for _ in range(30):
        with wire.subscriber(replay="tcp://127.0.0.1:9"):
            assert not threads() - first
    until(lambda: not open_files() - files, "their end: sockets are closed by another thread, a moment later")
