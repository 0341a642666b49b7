"""One training run from recipe to final checkpoint, as by `trt-build train`."""

from __future__ import annotations

from pathlib import Path

import cv2

from trt_build.recipes.generator import Recipe
from trt_build.recipes.timed import for_minutes
from trt_build.systems.generator import state as states
from trt_build.systems.generator.prepare import run_data
from trt_build.systems.generator.smoke import smoke_recipe
from trt_build.systems.generator.state import State
from trt_build.systems.generator.trainer import GeneratorTrainer
from trt_build.systems.generator.validation import Validator
from trt_build.training.checkpoint import last_checkpoint
from trt_build.training.loop import Watcher, loaded_batches
from trt_build.writing import make_folder

_PREFETCH = 8


def train(
    recipe: Recipe,
    folder: Path,
    watcher: Watcher,
    *,
    resume: bool = False,
    smoke: bool = False,
    minutes: float | None = None,
) -> State:
    """Train `recipe` into `folder` (last.pt, best.pt, validation.csv, samples-*.png, cache/).

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or one of another recipe; or generator and data differ in
            their scale.
        DataError: data are missing or do not fit.
        TrainingError: there is nothing to resume, the loss is not finite, or a checkpoint cannot be written.
    """
    cv2.setNumThreads(1)
    recipe = _adapted(recipe, smoke, minutes)
    states.check_scale(recipe)
    before = last_checkpoint(folder, states.SCHEMA, resume=resume)
    make_folder(folder)
    data = run_data(recipe, folder / "cache", watcher.on_prepare, smoke=smoke)
    batches = loaded_batches(data.batches, before["step"] if before else 0, recipe.loaders, _PREFETCH)
    state = states.new_state(recipe) if before is None else states.restored(before, recipe)
    validator = Validator(data.validated, folder, recipe.merit)
    return GeneratorTrainer(state, batches, validator, folder, watcher).run()


def _adapted(recipe: Recipe, smoke: bool, minutes: float | None) -> Recipe:
    if smoke:
        recipe = smoke_recipe(recipe)
    if minutes is not None:
        recipe = for_minutes(recipe, minutes)
    return recipe
