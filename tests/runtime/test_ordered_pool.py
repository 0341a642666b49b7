from __future__ import annotations

import threading

import pytest

from engine.runtime.ordered_pool import OrderedPool


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
    assert [pool.take() for _ in range(3)] == [("first", 10), ("marker", None), ("second", 20)]
    assert pool.has_room
    assert not pool.is_next_done
    pool.close()


def test_an_error_of_the_function_is_raised_in_its_turn():
    def work(value: int) -> int:
        return 1 // value

    pool: OrderedPool[int, int, int] = OrderedPool(work, workers=1, name="test")
    pool.put(0, 1)
    pool.put(1, 0)
    assert pool.take() == (0, 1)
    with pytest.raises(ZeroDivisionError):
        pool.take()
    pool.close()
