"""Order within a key, and a descriptor that can be waited for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engine.runtime.channel import wait_for_any
from engine.runtime.ordered_pool import OrderedPool


def taken(pool: OrderedPool[Any, Any, Any]) -> tuple[Any, Any]:
    """Wait for the next result as the workers do."""
    while (done := pool.take_done()) is None:
        assert wait_for_any([pool], 10), "nothing became done"
    return done


def test_results_come_in_order_though_the_second_is_done_first():
    second_done = threading.Event()

    def work(value: int) -> int:
        if value == 1:
            assert second_done.wait(10)
        else:
            second_done.set()
        return value * 10

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

    def work(value: int) -> int:
        if value == 1:
            assert release.wait(10)
        return value

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
    def work(value: int) -> int:
        return 1 // value

    pool: OrderedPool[int, int, int] = OrderedPool(work, workers=1, name="test")
    pool.put(0, 1)
    pool.put(1, 0)
    assert taken(pool) == (0, 1)
    with pytest.raises(ZeroDivisionError):
        taken(pool)
    pool.close()
