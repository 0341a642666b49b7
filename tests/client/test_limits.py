"""What is too large is not taken, and a publisher that is only away is waited for."""

import pytest

from engine.client import Gap, Subscriber
from engine.errors import ConfigError, FatalError
from tests.publish.samples import face, stream_event


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


@pytest.mark.parametrize("limit", ["max_message_bytes", "max_picture_px"])
def test_a_limit_must_be_above_zero(limit):
    with pytest.raises(ConfigError, match=f"{limit} is 0: use a whole number above 0"):
        Subscriber("tcp://127.0.0.1:9", **{limit: 0})
