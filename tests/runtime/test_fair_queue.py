"""Fairness, order, and what gives way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.fair_queue import FairQueue

Drops = list[tuple[str, int, str]]


def queue(waiting: int = 2, budget: float = 1.0) -> tuple[FairQueue[int], Drops]:
    drops: Drops = []
    return FairQueue(waiting, budget, lambda stream, item, cause: drops.append((stream, item, cause))), drops


def drained(items: FairQueue[int], now: float = 0.0) -> list[int]:
    taken = []
    while (item := items.take(now)) is not None:
        taken.append(item)
    return taken


def test_streams_take_turns() -> None:
    items, drops = queue(waiting=9)
    for item in (10, 11, 12, 13):
        items.put("busy", item, 0.0)
    items.put("quiet", 20, 0.0)
    assert drained(items) == [10, 20, 11, 12, 13]
    assert drops == []


def test_the_oldest_of_the_same_stream_gives_way() -> None:
    items, drops = queue()
    items.put("other", 1, 0.0)
    for item in (10, 11, 12, 13):
        items.put("busy", item, 0.0)
    assert drops == [("busy", 10, "late"), ("busy", 11, "late")]
    assert sorted(drained(items)) == [1, 12, 13]


def test_what_waited_too_long_is_not_handed_out() -> None:
    items, drops = queue(budget=0.5)
    items.put("a", 1, 0.0)
    items.put("a", 2, 0.4)
    assert items.take(0.6) == 2
    assert drops == [("a", 1, "stale")]
    assert len(items) == 0


def test_what_would_soon_have_been_dropped_is_a_close_call() -> None:
    items, drops = queue(waiting=2, budget=1.0)
    items.put("old", 1, 0.0)
    items.put("fresh", 2, 0.7)
    assert [items.take(0.8), items.take(0.8), items.take_close_calls(), items.take_close_calls()] == [1, 2, 1, 0]
    for item in (3, 4):
        items.put("full", item, 1.0)
    assert [items.take(1.0), items.take_close_calls(), items.take(1.0), items.take_close_calls()] == [3, 1, 4, 0]
    assert drops == []


def test_what_must_not_be_dropped_and_what_waits_alone_is_no_close_call() -> None:
    items, _ = queue(waiting=1, budget=1.0)
    for item in (1, 2):
        items.put("recording", item)
    items.put("camera", 3, 9.0)
    assert sorted(drained(items, now=9.1)) == [1, 2, 3]
    assert items.take_close_calls() == 0


def test_what_must_not_be_dropped_waits_for_ever() -> None:
    items, drops = queue(waiting=1, budget=0.1)
    for item in range(5):
        items.put("recording", item)
    assert drained(items, now=1e9) == [0, 1, 2, 3, 4]
    assert drops == []


Puts = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 10)), max_size=60)


@given(Puts, st.integers(1, 4), st.floats(0, 10))
def test_nothing_is_lost_unseen_and_the_order_of_a_stream_stays(
    puts: list[tuple[str, bool, float]], waiting: int, now: float
) -> None:
    items, drops = queue(waiting, 2.0)
    for number, (stream, droppable, captured) in enumerate(puts):
        items.put(stream, number, captured if droppable else None)
    taken = drained(items, now)
    assert sorted(taken + [item for _, item, _ in drops]) == list(range(len(puts)))
    assert all(puts[item][1] for _, item, _ in drops)
    for name in "abc":
        mine = [item for item in taken if puts[item][0] == name]
        assert mine == sorted(mine)
