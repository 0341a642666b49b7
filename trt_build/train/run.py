"""One training run from recipe to final checkpoint: what `trt-build train` does."""

from __future__ import annotations

from pathlib import Path

import cv2
import msgspec

from trt_build.errors import DataError, RecipeError
from trt_build.train import prepare
from trt_build.train import state as states
from trt_build.train.loop import Trainer, Watcher
from trt_build.train.recipe import BudgetSpec, Recipe
from trt_build.train.smoke import smoke_recipe
from trt_build.train.state import State


def train(
    recipe: Recipe,
    folder: Path,
    watcher: Watcher,
    *,
    resume: bool = False,
    smoke: bool = False,
    minutes: float | None = None,
) -> State:
    """Train `recipe` into `folder` (last.pt, best.pt, validation.csv, samples-*.png, cache/)."""
    cv2.setNumThreads(1)
    recipe = _adapted(recipe, smoke, minutes)
    _check_folder(folder, resume)
    cache = folder / "cache"
    train_faces, validation_faces = prepare.load_run_faces(recipe, cache, smoke)
    watcher.on_prepare(recipe.h264.passes * len(train_faces.names))
    data = prepare.training_batches(train_faces, recipe, cache, watcher.on_encoded)
    validator = prepare.validator(validation_faces, recipe, folder)
    last = folder / "last.pt"
    state = states.restore(last, recipe) if resume else states.new_state(recipe)
    return Trainer(state, data, validator, folder, watcher).run()


def _adapted(recipe: Recipe, smoke: bool, minutes: float | None) -> Recipe:
    if smoke:
        recipe = smoke_recipe(recipe)
    if minutes is not None:
        if minutes <= 0:
            raise RecipeError("--minutes must be above 0.")
        recipe = msgspec.structs.replace(recipe, budget=BudgetSpec(minutes=minutes))
    return recipe


def _check_folder(folder: Path, resume: bool) -> None:
    last = folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(f"'{last}' exists: give --resume to continue it, or another --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The output folder '{folder}' cannot be made: {error.strerror}.") from None
