from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.clock import StreamClock


def clock() -> StreamClock:
    return StreamClock(Fraction(1, 1000), 0.04, 10.0)


def test_missing_time_stamps_continue_from_the_rate():
    c = clock()
    assert [c.advance(ticks)[0] for ticks in (None, None, 500, None, None)] == pytest.approx([0.0, 0.04, 0.5, 0.54, 0.58])


def test_jumps_are_steps_back_and_long_gaps():
    c = clock()
    steps = [1000, 1040, 1000, 1200, 11_201, 11_240, 40, 80]
    assert [c.advance(ticks)[1] for ticks in steps] == [False, False, False, False, True, False, True, False]


@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=50), st.integers(-(10**9), 10**9))
def test_variable_rates_are_no_jumps(steps, start):
    c = clock()
    now = start
    for step in steps:
        seconds, jumped = c.advance(now)
        assert not jumped
        assert seconds == pytest.approx(now / 1000)
        now += step


def test_small_steps_back_hold_the_clock_where_that_is_wanted():
    clock = StreamClock(Fraction(1, 1000), 0.04, 10.0, held_seconds=0.5)
    ticks = [0, 40, 80, -120, 120, 100, 160, -400, 200]
    assert [clock.advance(one) for one in ticks] == [
        (0.0, False), (0.04, False), (0.08, False), (0.08, False), (0.12, False), (0.12, False), (0.16, False), (-0.4, True),
        (0.2, False),
    ]  # fmt: skip
