"""The settings shared by all recipes: budget, optimiser and seed."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec

from trt_build.errors import RecipeError
from trt_build.recipes.fields import NotNegative, Positive, Spec


class OptimiserSpec(Spec, frozen=True):
    """AdamW or SOAP with a linear warm-up and a cosine to `final_rate`, over the elapsed budget.

    SOAP (Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", ICLR 2025) is Adam in the eigenbasis of the
    gradients' covariance; its authors' betas are (0.95, 0.95). A step costs a little more; SRCNN needs far fewer steps.
    """

    method: Literal["adamw", "soap"] = "adamw"
    rate: float = 2e-3
    final_rate: float = 1e-6
    warmup_steps: int = 200
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    clip_norm: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    ema_decay: float = 0.999
    cooldown: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """Last share of the budget, over which the rate falls from `rate` to `final_rate`; because the rate is constant before, a
    run can be resumed with a larger budget.
    """


class BudgetSpec(Spec, frozen=True):
    """How long to train: by elapsed training minutes, or by steps (a generator's run is exactly repeatable then)."""

    minutes: Annotated[float, msgspec.Meta(gt=0)] | None = None
    steps: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give exactly one of minutes and steps")


class TimedRecipe(Spec, frozen=True, kw_only=True):
    """Base of all recipes."""

    name: str
    budget: BudgetSpec
    optimiser: OptimiserSpec = OptimiserSpec()
    validate_every_minutes: float = 10.0
    batch: Positive = 16
    seed: NotNegative = 7
    threads: Positive = 2
    loaders: NotNegative = 1
    """Number of processes that make batches; 0: the training process itself."""


AnyTimedRecipe = TypeVar("AnyTimedRecipe", bound=TimedRecipe)


def for_minutes(recipe: AnyTimedRecipe, minutes: float) -> AnyTimedRecipe:
    """Return the recipe with a budget in minutes.

    Raises:
        RecipeError: the minutes are not above 0.
    """
    if not minutes > 0:
        raise RecipeError("--minutes must be above 0.")
    return msgspec.structs.replace(recipe, budget=BudgetSpec(minutes=minutes))
