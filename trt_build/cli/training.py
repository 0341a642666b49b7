"""What the commands `train` of detectors, embedders and learned degradation share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from trt_build.cli.progress import RunProgress
from trt_build.optional import require
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.recipes.timed import AnyTimedRecipe, for_minutes

State = TypeVar("State")


def train_by_recipe(
    recipe: str,
    load: Callable[[], tuple[type[AnyTimedRecipe], Callable[..., State]]],
    console: Console,
    *,
    out: Path | None,
    resume: bool,
    minutes: float | None,
) -> tuple[State, Path]:
    """Train, showing progress; returns the final state and the folder of the run.

    Args:
        recipe: a file, or a name of configs/train.
        load: gives the kind of the recipe and its training, `(recipe, folder, watcher, *, resume)`; called once torch is there.
        console: of the progress.
        out: folder of the run, `runs/NAME` if not given.
        resume: continue the run that is there.
        minutes: instead of the recipe's budget.
    """
    require("torch", "Training")
    kind, train = load()
    chosen = read_recipe_of(kind, find_recipe(recipe))
    if minutes is not None:
        chosen = for_minutes(chosen, minutes)
    folder = out or Path("runs") / chosen.name
    with RunProgress(console) as progress:
        return train(chosen, folder, progress, resume=resume), folder
