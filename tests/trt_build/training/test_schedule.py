"""The learning rate over the budget."""

import itertools

import pytest

from trt_build.recipes.timed import BudgetSpec, OptimiserSpec
from trt_build.training.schedule import Clock, learning_rate

SPEC = OptimiserSpec(rate=1e-3, final_rate=1e-6, warmup_steps=10)


def test_warms_up_then_falls_to_the_final_rate():
    budget = BudgetSpec(steps=1000)
    rates = [learning_rate(Clock(step), budget, SPEC) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-4, rel=1e-3)
    assert max(rates) == pytest.approx(1e-3, rel=1e-2)
    assert rates[500] == pytest.approx(5e-4, rel=1e-2)
    assert rates[1000] == pytest.approx(1e-6)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_minutes_count_training_time_only():
    budget = BudgetSpec(minutes=2)
    assert Clock(50, 60.0).fraction(budget) == 0.5
    assert Clock(50, 600.0).fraction(budget) == 1


def test_a_cooldown_keeps_the_rate_until_the_last_share():
    budget = BudgetSpec(steps=1000)
    spec = OptimiserSpec(rate=1e-3, final_rate=1e-6, warmup_steps=10, cooldown=0.2)
    rates = [learning_rate(Clock(step), budget, spec) for step in range(1001)]
    assert rates[20] == rates[799] == pytest.approx(1e-3)
    assert rates[900] == pytest.approx(5e-4, rel=1e-2)
    assert rates[1000] == pytest.approx(1e-6)
    # A larger budget goes on at the same rate.
    assert learning_rate(Clock(900), BudgetSpec(steps=2000), spec) == pytest.approx(1e-3)


USUAL = 0.5


@pytest.mark.parametrize(
    ("durations", "counted"),
    [
        pytest.param([USUAL] * 20 + [3600.0] + [USUAL] * 20, 41 * USUAL, id="halted once"),
        pytest.param(([USUAL] * 7 + [3600.0]) * 5, 40 * USUAL, id="again and again"),
        pytest.param([USUAL] * 9 + [3600.0] * 3 + [USUAL] * 8, 20 * USUAL, id="three in a row"),
        pytest.param([3600.0] + [USUAL] * 19, 20 * USUAL, id="in the first step"),
        pytest.param([USUAL, 3600.0] + [USUAL] * 18, 20 * USUAL, id="in the second step"),
        pytest.param([USUAL] * 20 + [5.4 * USUAL] * 3, (20 + 3 * 5.4) * USUAL, id="slow steps are training"),
        pytest.param([USUAL] * 60 + [6.0] * 200, None, id="a machine that became slower"),
    ],
)
def test_halts_are_not_training_time(durations, counted):
    clock = Clock(3, 100.0)
    for seconds in durations:
        clock.add(seconds)
    if counted is None:  # after half a window the new pace is the usual one
        assert clock.seconds - 100 >= 0.6 * sum(durations)
    else:
        assert clock.seconds - 100 == pytest.approx(counted)


def test_a_resumed_clock_goes_on_from_its_seconds():
    clock = Clock(50, 60.0)
    clock.add(1.0)
    clock.add(2.0)
    assert clock.seconds == pytest.approx(63)
