from __future__ import annotations

import pickle

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.runtime.channel import channel_pair
from engine.runtime.codec import Codec


class Picture(msgspec.Struct, frozen=True, array_like=True, tag=True, eq=False):
    name: str
    first: NDArray[np.uint8]
    others: list[NDArray[np.float32]]


class Word(msgspec.Struct, frozen=True, array_like=True, tag=True):
    text: str


CODEC = Codec([Picture, Word])
shapes = st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple)


def carried(message: Picture) -> Picture:
    fields, arrays, size_bytes = CODEC.encode(message)
    content = b"".join(array.tobytes() for array in arrays)
    assert len(content) == size_bytes
    return CODEC.decode(fields, content)


@given(shapes, st.lists(shapes, max_size=3))
def test_arrays_of_any_shape_come_back(first, others):
    sent = Picture("a", np.arange(np.prod(first), dtype=np.uint8).reshape(first), [np.ones(one, np.float32) for one in others])
    got = carried(sent)
    for mine, theirs in zip([got.first, *got.others], [sent.first, *sent.others], strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def test_a_contiguous_array_is_not_copied_and_another_one_is_packed():
    whole = np.arange(100, dtype=np.uint8).reshape(10, 10)
    _, (first, second), _ = CODEC.encode(Picture("a", whole, [whole[:, 2:5]]))  # type: ignore[list-item]
    assert first is whole
    np.testing.assert_array_equal(second, whole[:, 2:5])


def test_what_is_received_is_one_piece_of_memory_that_no_other_message_shares():
    ours, theirs = channel_pair(CODEC)
    got = []
    for value in (1, 2):
        ours.send(Picture("a", np.full((40, 50), value, np.uint8), [np.full(9, value, np.float32)]))
        got.append(theirs.receive())
    assert [np.unique(one.first).tolist() for one in got] == [[1], [2]]
    for one in got:
        assert not one.first.flags.owndata
        assert np.lib.array_utils.byte_bounds(one.first)[1] == np.lib.array_utils.byte_bounds(one.others[0])[0]
    ours.close()
    theirs.close()


def test_messages_with_and_without_arrays_follow_each_other():
    ours, theirs = channel_pair(CODEC)
    for word in ("one", "two"):
        ours.send(Word(word))
        ours.send(Picture(word, np.zeros((2, 2), np.uint8), []))
    assert [theirs.receive() for _ in range(1)] == [Word("one")]
    assert theirs.receive().name == "one"
    assert theirs.receive() == Word("two")
    ours.close()
    assert theirs.receive().name == "two"
    theirs.close()


def test_a_codec_goes_to_a_child_process():
    same = pickle.loads(pickle.dumps(CODEC))
    assert same.decode(CODEC.encode(Word("x"))[0], b"") == Word("x")


def test_a_value_that_cannot_travel_is_refused():
    with pytest.raises(NotImplementedError, match="object cannot be part of a message"):
        CODEC.encode(Word(object()))  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError):
        CODEC.decode(msgspec.msgpack.encode(["Letter", "x"]), b"")
