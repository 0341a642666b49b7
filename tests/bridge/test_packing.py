"""What leaves a site is what came, but for what was not to leave, and for what does not fit."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import replace

from engine.bridge.names import Key
from engine.bridge.packing import ALL, Wishes, fitted, packed, packed_gap
from engine.client.received import Received, parse
from engine.contracts.messages import Part, encode_header
from tests.publish.samples import as_sent, face


def received(**extra: object) -> Received:
    """A face as a subscriber gets it, with fields that only a later version has."""
    body, payloads = face()
    header = msgpack.encode(msgpack.decode(encode_header(as_sent(body, 7))) | extra)
    return parse([b"v1/face/cam1/1/", header, *payloads])


def sized(sizes: list[int]) -> Received:
    """A face with parts of these sizes."""
    parts, payloads = [], [bytes([index]) * size for index, size in enumerate(sizes)]
    for index, payload in enumerate(payloads):
        parts.append(Part(f"part{index}", "jpeg", (1, 1, 3), "uint8", hashlib.sha256(payload).hexdigest()))
    message = as_sent(replace(face()[0], parts=parts), 3)
    return parse([b"v1/face/cam1/1/", encode_header(message), *payloads])


def test_a_message_comes_out_as_it_went_in_with_what_a_later_version_says():
    one = received(mood="cheerful")
    body, left_out = packed(one, ALL)
    found = msgpack.decode(body)
    assert found["header"] == msgpack.decode(one.header)
    assert found["header"]["mood"] == "cheerful"
    assert (found["payloads"], found["left_out"], left_out) == (one.payloads, [], 0)


@pytest.mark.parametrize(
    ("wishes", "reasons"),
    [
        (Wishes(pictures=False), {"original": "no_pictures", "enhanced": "no_pictures"}),
        (Wishes(vectors=False), {"embedding": "no_vectors"}),
        (
            Wishes(pictures=False, vectors=False),
            {"original": "no_pictures", "enhanced": "no_pictures", "embedding": "no_vectors"},
        ),
        (Wishes(picture_bytes=1), {"original": "picture_limit", "enhanced": "picture_limit"}),
        (Wishes(picture_bytes=10**9), {}),
    ],
)  # fmt: skip
def test_what_is_not_to_leave_is_named_and_not_there(wishes, reasons):
    one = received()
    assert {part.name for part in one.parts} == {"original", "enhanced", "embedding"}
    body, left_out = packed(one, wishes)
    found = msgpack.decode(body)
    assert {left["name"]: left["reason"] for left in found["left_out"]} == reasons
    assert left_out == len(reasons)
    for part, payload, came in zip(one.parts, found["payloads"], one.payloads, strict=True):
        assert payload == (None if part.name in reasons else came)
        assert part.name not in reasons or came not in body


def test_a_picture_of_a_later_version_does_not_leave_either():
    found = msgpack.decode(packed(sized([30]), Wishes(pictures=False))[0])
    assert found["payloads"] == [None]


@given(st.lists(st.integers(0, 3000), max_size=6), st.integers(0, 9000))
def test_the_largest_parts_go_until_it_fits_and_no_more(sizes, limit):
    body, _ = packed(sized(sizes), ALL)
    fits, dropped = fitted(body, limit)
    if fits is None:
        bare = fitted(body, 10**9)[0]
        assert bare is not None
        assert len(bare) - sum(sizes) > limit or dropped == len(sizes)
        return
    assert len(fits) <= max(limit, 0)
    found = msgpack.decode(fits)
    gone = {int(left["name"].removeprefix("part")): left["size_bytes"] for left in found["left_out"]}
    assert len(gone) == dropped
    assert [len(one) if one is not None else None for one in found["payloads"]] == [
        None if index in gone else size for index, size in enumerate(sizes)
    ]
    kept = [size for index, size in enumerate(sizes) if index not in gone]
    assert max(kept, default=0) <= min(gone.values(), default=1 << 40)
    assert dropped or fits == body


def test_a_gap_has_the_shape_of_a_message():
    found = msgpack.decode(packed_gap(Key("run1", "door", "face", 3, 9), "missed"))
    assert (found["payloads"], found["left_out"]) == ([], [])
    assert found["header"] == {
        "kind": "gap", "run_id": "run1", "stream": "door", "of_kind": "face", "first_seq": 3, "last_seq": 9,
        "reason": "missed", "schema": "facestream/1",
    }  # fmt: skip
