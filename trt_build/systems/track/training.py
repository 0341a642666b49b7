"""Trains the multi-frame network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import torch
from torch import Tensor

from trt_build.data.tracks.bank import training_tracks, validation_tracks
from trt_build.data.tracks.batches import TrackBatches
from trt_build.networks.track import TrackNetwork
from trt_build.recipes.track import TrackRecipe
from trt_build.systems.generator.losses import negative_psnr
from trt_build.systems.track.state import SCHEMA, State, new_state, restored, single_frame_network
from trt_build.systems.track.validation import TrackValidator
from trt_build.training import loop
from trt_build.training.checkpoint import last_checkpoint
from trt_build.training.loop import Parts, Watcher, loaded_batches
from trt_build.training.run_state import Row
from trt_build.writing import make_folder

_PREFETCH = 8


def train_track(recipe: TrackRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Train `recipe` into `folder` (last.pt, best.pt, validation.csv, cache/).

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or one of another recipe.
        DataError: faces are missing or too small.
        TrainingError: there is nothing to resume, the loss is not finite, or a checkpoint cannot be written.
    """
    cv2.setNumThreads(1)
    before = last_checkpoint(folder, SCHEMA, resume=resume)
    single = single_frame_network(recipe)
    make_folder(folder)
    tracks = training_tracks(recipe, folder / "cache", watcher.on_prepare)
    batches = TrackBatches(tracks, recipe)
    loaded = loaded_batches(batches, before["step"] if before else 0, recipe.loaders, _PREFETCH, "fork")
    validator = TrackValidator(validation_tracks(recipe, folder / "cache"), single, recipe)
    state = new_state(recipe) if before is None else restored(before, recipe)
    return TrackTrainer(state, loaded, validator, folder, watcher).run()


class TrackTrainer(loop.Trainer[TrackRecipe, TrackNetwork]):
    """See ``loop.Trainer``."""

    schema = SCHEMA

    def __init__(
        self, state: State, batches: Iterator[list[Tensor]], validator: TrackValidator, folder: Path, watcher: Watcher
    ) -> None:
        super().__init__(state, batches, folder, watcher)
        self._validator = validator

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, Parts]:
        recipe, network = self._state.recipe, self._state.model
        network.encoder.requires_grad_(self._state.clock.step >= recipe.frozen_steps)
        luma, affine, weight, truth = batch
        with torch.autocast(self._device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            picture, _ = network(luma, affine, weight)
        decibels = negative_psnr(picture - truth)
        return recipe.pixel_weight * decibels, {"psnr": -float(decibels.detach())}

    def _measure(self) -> Row:
        return self._validator.measure(self._state.ema)
