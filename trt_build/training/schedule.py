"""The learning rate as a function of the elapsed budget, and the clock that measures it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median

from trt_build.recipes.timed import BudgetSpec, OptimiserSpec

_RECENT = 101
"""Number of steps from which the usual duration is estimated; few enough to adapt soon when the machine slows down."""
_HALTED = 10.0
"""A step that takes this many times as long as usual was halted (a stopped process, a sleeping computer)."""
_FEW = 5
"""Number of first steps that are judged again with each following step, until the usual duration is known."""


@dataclass
class Clock:
    """Steps done and seconds spent in training steps: validation, stops and halts do not count."""

    step: int = 0
    seconds: float = 0.0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT), compare=False, repr=False)

    def __post_init__(self) -> None:
        self._begun = self.seconds

    def add(self, seconds: float) -> None:
        """Add the time of a step; a halted step adds the usual time."""
        self._recent.append(seconds)
        usual = median(self._recent)
        if len(self._recent) <= _FEW:
            self.seconds = self._begun + sum(_counted(one, usual) for one in self._recent)
        else:
            self.seconds += _counted(seconds, usual)

    def fraction(self, budget: BudgetSpec) -> float:
        """Return the spent share of the budget, 0 to 1."""
        if budget.steps is not None:
            return min(1.0, self.step / budget.steps)
        assert budget.minutes is not None
        return min(1.0, self.seconds / (60 * budget.minutes))


def _counted(seconds: float, usual: float) -> float:
    return usual if seconds > _HALTED * usual else seconds


def learning_rate(clock: Clock, budget: BudgetSpec, spec: OptimiserSpec) -> float:
    """Linear warm-up over the first steps, times a cosine over the whole budget, or over its last share, see ``cooldown``."""
    warm = min(1.0, (clock.step + 1) / max(1, spec.warmup_steps))
    begin = 1 - spec.cooldown
    cooled = max(0.0, (clock.fraction(budget) - begin) / spec.cooldown)
    cosine = 0.5 * (1 + math.cos(math.pi * cooled))
    return warm * (spec.final_rate + (spec.rate - spec.final_rate) * cosine)
