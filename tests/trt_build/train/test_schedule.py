"""The learning rate over the budget."""

import itertools

import pytest

from trt_build.train.recipe import BudgetSpec, OptimiserSpec
from trt_build.train.schedule import Clock, learning_rate

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
