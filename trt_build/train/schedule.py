"""The learning rate as a function of the elapsed budget, and the clock that measures it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trt_build.train.recipe import BudgetSpec, OptimiserSpec


@dataclass
class Clock:
    """Steps done and seconds spent in training steps (validation and stops do not count)."""

    step: int = 0
    seconds: float = 0.0

    def fraction(self, budget: BudgetSpec) -> float:
        """How much of the budget is spent, 0 to 1."""
        if budget.steps is not None:
            return min(1.0, self.step / budget.steps)
        assert budget.minutes is not None
        return min(1.0, self.seconds / (60 * budget.minutes))


def learning_rate(clock: Clock, budget: BudgetSpec, spec: OptimiserSpec) -> float:
    """Linear warm-up over the first steps, times a cosine over the whole budget, or over its last share, see ``cooldown``."""
    warm = min(1.0, (clock.step + 1) / max(1, spec.warmup_steps))
    begin = 1 - spec.cooldown
    cooled = max(0.0, (clock.fraction(budget) - begin) / spec.cooldown)
    cosine = 0.5 * (1 + math.cos(math.pi * cooled))
    return warm * (spec.final_rate + (spec.rate - spec.final_rate) * cosine)
