"""What is too large is not taken, and a publisher that is only away is waited for."""

import _thread
import threading
import time

import pytest
import zmq

from engine.client import Gap, Subscriber
from engine.errors import ConfigError, FatalError
from tests.client.wire import Wire
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import face, stream_event
from tests.servers.ports import free_port


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
    first = Wire(opened, endpoint=f"tcp://127.0.0.1:{free_port('127.0.0.1')}")  # nobody takes it meanwhile
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


def test_a_signal_that_interrupts_no_wait_is_seen_all_the_same(wire):
    """One that comes just before the wait begins: only Python knows of it."""
    with wire.subscriber() as subscriber:
        began = time.monotonic()
        threading.Timer(0.1, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            subscriber._connection.wait(2 * PATIENCE_SECONDS)
        assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("published", "read", "words"),
    [
        (zmq.PUSH, "sub", r"does not send to a sub socket: .* with --socket push, .* --socket pull`"),
        (zmq.PUB, "pull", r"does not send to a pull socket: .* with --socket pub, .* --socket sub`"),
    ],
)
def test_who_reads_with_the_other_kind_of_socket_is_told_which(opened, published, read, words):
    with opened.socket(published) as publisher:
        endpoint = f"tcp://127.0.0.1:{publisher.bind_to_random_port('tcp://127.0.0.1')}"
        subscriber = Subscriber(endpoint, socket=read, timeout_seconds=PATIENCE_SECONDS)
        with subscriber, pytest.raises(FatalError, match=words):
            next(iter(subscriber))
