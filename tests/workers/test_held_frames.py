"""Frames that wait keep the order of their stream, and hold back no other."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.workers.held_frames import HeldFrames


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_each_stream_comes_out_whole_and_in_order(seed, coming):
    chance, waiting = Random(seed), set()
    held = HeldFrames[tuple[str, int]](lambda item: item[0], lambda item: item in waiting)
    out: list[tuple[str, int]] = []
    for number, (stream, waits) in enumerate(coming):
        item = stream, number
        if waits:
            waiting.add(item)
        if not held.hold(item):
            assert not waits
            out.append(item)
        if waiting and chance.random() < 0.4:
            waiting.discard(chance.choice(sorted(waiting)))
        while (ready := held.take()) is not None:
            assert ready not in waiting
            out.append(ready)
    waiting.clear()
    while (ready := held.take()) is not None:
        out.append(ready)
    assert len(held) == 0
    for name in "abc":
        assert [number for stream, number in out if stream == name] == [n for n, (s, _) in enumerate(coming) if s == name]


def test_a_stream_that_waits_holds_back_no_other():
    held = HeldFrames[str](lambda item: item[0], lambda item: item == "a1")
    assert held.hold("a1")
    assert held.hold("a2"), "behind one that waits"
    assert not held.hold("b1")
    assert held.take() is None
