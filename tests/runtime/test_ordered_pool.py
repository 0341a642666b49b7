"""Order within a key, and a descriptor that can be waited for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from engine.runtime.channel import wait_for_any
from engine.runtime.ordered_pool import OrderedPool
from tests.patience import PATIENCE_SECONDS


def taken(pool: OrderedPool[Any, Any, Any]) -> tuple[Any, Any]:
    """Wait for the next result as the workers do."""
    while (done := pool.take_done()) is None:
        assert wait_for_any([pool], PATIENCE_SECONDS), "nothing became done"
    return done


def test_results_come_in_order_though_the_second_is_done_first():
    second_done = threading.Event()

    def work(values: Sequence[int]) -> list[int]:
        if values == [1]:
            assert second_done.wait(PATIENCE_SECONDS)
        else:
            second_done.set()
        return [value * 10 for value in values]

    pool: OrderedPool[str, int, int] = OrderedPool(work, workers=2, name="test")
    pool.put("first", 1)
    pool.put("marker", None)
    pool.put("second", 2)
    assert not pool.has_room
    assert [taken(pool) for _ in range(3)] == [("first", 10), ("marker", None), ("second", 20)]
    assert pool.has_room
    assert pool.take_done() is None
    pool.close()


def test_one_stream_does_not_wait_for_another():
    release = threading.Event()

    def work(values: Sequence[int]) -> Sequence[int]:
        if values == [1]:
            assert release.wait(PATIENCE_SECONDS)
        return values

    pool: OrderedPool[str, int, int] = OrderedPool(work, workers=2, name="test")
    pool.put("slow 1", 1, "slow")
    pool.put("slow marker", None, "slow")
    pool.put("quick 2", 2, "quick")
    assert taken(pool) == ("quick 2", 2)
    assert pool.take_done() is None
    release.set()
    assert [taken(pool), taken(pool)] == [("slow 1", 1), ("slow marker", None)]
    pool.close()
    pool.close()


def test_an_error_of_the_function_is_raised_in_its_turn():
    def work(values: Sequence[int]) -> list[int]:
        return [1 // value for value in values]

    pool: OrderedPool[int, int, int] = OrderedPool(work, workers=1, name="test")
    pool.put(0, 1)
    pool.put(1, 0)
    assert taken(pool) == (0, 1)
    with pytest.raises(ZeroDivisionError):
        taken(pool)
    pool.close()


def test_what_waits_while_a_thread_is_busy_is_computed_together():
    begun, release, calls = threading.Event(), threading.Event(), list[list[int]]()

    def work(values: Sequence[int]) -> Sequence[int]:
        calls.append(list(values))
        begun.set()
        assert release.wait(PATIENCE_SECONDS)
        return values

    pool: OrderedPool[int, int, int] = OrderedPool(work, workers=1, name="test", together=3)
    assert pool.capacity == 6
    pool.put(0, 0, "a")
    assert begun.wait(PATIENCE_SECONDS)
    for value in range(1, 6):
        pool.put(value, value, "ab"[value % 2])
    assert not pool.has_room
    release.set()
    assert sorted(taken(pool) for _ in range(6)) == [(value, value) for value in range(6)]
    assert calls == [[0], [1, 2, 3], [4, 5]]
    pool.close()


def test_where_together_is_one_each_is_computed_alone():
    calls = list[int]()

    def work(values: Sequence[int]) -> Sequence[int]:
        calls.append(len(values))
        return values

    pool: OrderedPool[int, int, int] = OrderedPool(work, workers=2, name="test")
    for value in range(9):
        pool.put(value, value)
    assert [taken(pool)[0] for _ in range(9)] == list(range(9))
    assert calls == [1] * 9
    pool.close()


def test_an_error_is_of_all_that_were_computed_together():
    begun, release = threading.Event(), threading.Event()

    def work(values: Sequence[int]) -> list[int]:
        begun.set()
        assert release.wait(PATIENCE_SECONDS)
        return [1 // value for value in values]

    pool: OrderedPool[int, int, int] = OrderedPool(work, workers=1, name="test", together=2)
    pool.put(0, 1)
    assert begun.wait(PATIENCE_SECONDS)
    pool.put(1, 1)
    pool.put(2, 0)
    release.set()
    assert taken(pool) == (0, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            taken(pool)
    pool.close()
