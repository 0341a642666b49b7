"""What a bridge has handed to a broker is read as a subscriber hands it out; what is no such thing is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from engine.bridge.names import Key
from engine.bridge.packing import ALL, Wishes, packed, packed_gap
from engine.client import Face, Gap, unpack
from engine.client.limits import Limits
from engine.client.received import Malformed, Received, parse
from engine.contracts.messages import encode_header
from engine.errors import FatalError
from tests.publish.samples import as_sent, end, face


def received() -> Received:
    body, payloads = face()
    return parse([b"v1/face/cam1/1/", encode_header(as_sent(body, 7)), *payloads])


def test_what_was_packed_comes_out_as_it_was_received():
    one = received()
    found = unpack(packed(one, ALL)[0])
    assert isinstance(found, Received)
    assert (found.message, found.payloads, found.header) == (one.message, one.payloads, one.header)
    assert found.image().shape == one.image().shape


def test_what_stayed_is_not_among_the_parts():
    found = unpack(packed(received(), Wishes(pictures=False))[0])
    assert isinstance(found, Received)
    assert isinstance(found.message, Face)
    assert [part.name for part in found.parts] == ["embedding"]
    assert not found.has("enhanced")
    assert len(found.embedding()) == 128
    with pytest.raises(LookupError, match="carries embedding, not 'enhanced'"):
        found.image()


def test_messages_without_parts_and_gaps_come_out_too():
    found = unpack(packed(parse([b"v1/end/", encode_header(as_sent(end(), 0))]), ALL)[0])
    assert isinstance(found, Received)
    gap = unpack(packed_gap(Key("run1", "door", "face", 3, 9), "missed"))
    assert gap == Gap("door", "face", 3, 9, run_id="run1")
    assert len(gap) == 7


def _changed(**header: object) -> bytes:
    content = msgpack.decode(packed(received(), ALL)[0])
    content["header"] |= header
    return msgpack.encode(content)


def test_a_gap_for_a_reason_of_a_later_version_is_read():
    header = msgpack.decode(packed_gap(Key("run1", "door", "face", 3, 9), "missed"))["header"] | {"reason": "tired", "mood": 1}
    assert unpack(msgpack.encode({"header": header})) == Gap("door", "face", 3, 9, run_id="run1")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "it is not a message of a bridge"),
        (b"\x80", "it is not a message of a bridge"),
        (packed_gap(Key("run1", "door", "face", 0, 2**64 - 1), "missed"), "it is not a message of a bridge"),
        (packed_gap(Key("run1", "door", "face", -1, 3), "missed"), "it is not a message of a bridge"),
        (packed_gap(Key("run1", "door", "face", 9, 3), "missed"), "its gap ends before it begins: 9 to 3"),
        (msgpack.encode({"header": {"kind": "gap"}}), "it is not a message of a bridge"),
        (msgpack.encode({"header": {"kind": "smell", "schema": "facestream/1"}}), "the header is not readable"),
        (
            msgpack.encode(msgpack.decode(packed(received(), ALL)[0]) | {"payloads": [b"x"]}),
            "1 payloads, and the header describes 3",
        ),
        (msgpack.encode(msgpack.decode(packed(received(), ALL)[0]) | {"payloads": [b"x"] * 3}), "does not have the SHA-256"),
    ],
)
def test_what_is_no_message_of_a_bridge_is_told(body, sentence):
    with pytest.raises(Malformed, match=sentence):
        unpack(body)


def test_another_version_and_a_message_that_is_too_large_are_told():
    with pytest.raises(FatalError, match="'facestream/2'"):
        unpack(_changed(schema="facestream/2"))
    with pytest.raises(Malformed, match="more than the 100 of max_message_bytes"):
        unpack(_changed(), Limits(message_bytes=100))


@given(st.binary(max_size=200))
def test_rubbish_is_malformed(body):
    with pytest.raises((Malformed, FatalError)):
        unpack(body)
