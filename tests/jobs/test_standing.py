"""Estimates: of unequal recordings too."""

from __future__ import annotations

import pytest

from engine.jobs.standing import Pace


def test_nothing_is_said_before_something_is_known() -> None:
    pace = Pace()
    assert pace.seconds_left(10.0, 1.0, 2) is None
    pace.note(0.0, 0.0, 0.0, 2)
    pace.note(60.0, 0.0, 0.0, 2)
    assert pace.times_real_time is None, "nothing was done in that minute"


def test_what_is_left_is_counted_in_cost_not_in_tasks() -> None:
    pace = Pace()
    pace.note(0.0, 0.0, 0.0, 2)
    pace.note(100.0, 200.0, 800.0, 2)
    assert pace.times_real_time == pytest.approx(8.0)
    assert pace.seconds_left(1000.0, 10.0, 2) == pytest.approx(500.0)
    assert pace.seconds_left(1000.0, 10.0, 4) == pytest.approx(250.0), "workers that came lately count"


def test_the_largest_task_bounds_it_from_below() -> None:
    pace = Pace()
    pace.note(0.0, 0.0, 0.0, 4)
    pace.note(100.0, 400.0, 400.0, 4)
    assert pace.seconds_left(100.0, 90.0, 4) == pytest.approx(90.0)


def test_an_old_pace_is_forgotten() -> None:
    pace, cost = Pace(), 0.0
    for second in range(0, 3000, 10):
        cost += 100.0 if second < 1000 else 10.0
        pace.note(float(second), cost, 0.0, 1)
    assert pace.seconds_left(100.0, 1.0, 1) == pytest.approx(100.0, rel=0.02)
