"""Trains DegNet and SynNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.models.catalog import find_model
from trt_build.data.degradation import Luma8
from trt_build.data.faces import cached_faces, to_size
from trt_build.data.footage import Footage, cached_footage
from trt_build.errors import DataError, RecipeError
from trt_build.networks.onnx_generator import OnnxGenerator
from trt_build.recipes.redeg import RedegRecipe
from trt_build.systems.redeg.batches import CameraBatches
from trt_build.systems.redeg.model import SHARP_PX, Judge, Redeg
from trt_build.systems.redeg.separation import Crossed, crossed, grid, separation
from trt_build.training import loop
from trt_build.training.adversarial import AdversarialLoss
from trt_build.training.checkpoint import check_unchanged, last_checkpoint, load_averaged, recipe_of
from trt_build.training.loop import Parts, Watcher, loaded_batches
from trt_build.training.run_state import Row, RunState
from trt_build.work import Done
from trt_build.writing import make_folder

SCHEMA = "facestream-redeg/1"
SCALE = 4
SMALL_PX = SHARP_PX // SCALE
_PREFETCH = 8
_FACES, _CAMERAS = 16, 48
"""Numbers of cameras and faces in validation."""
_SHOWN_CAMERAS, _SHOWN_FACES = 6, 12
State = RunState[RedegRecipe, Redeg]


def train_redeg(recipe: RedegRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Train ``recipe`` into ``folder`` (last.pt, best.pt, validation.csv, samples-*.png, cache/).

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or one of other networks.
        DataError: faces or footage are missing or do not fit.
        TrainingError: there is nothing to resume, the loss is not finite, or a checkpoint cannot be written.
    """
    before = last_checkpoint(folder, SCHEMA, resume=resume)
    if before is not None:
        check_unchanged(recipe_of(before, RedegRecipe, f"The run in '{folder}'"), recipe, ("network", "loss", "batch", "seed"))
    cv2.setNumThreads(1)
    make_folder(folder)
    cache = folder / "cache"
    faces = to_size(cached_faces(recipe.faces, cache).images, SHARP_PX)
    if len(faces) < 2 * recipe.batch:
        raise DataError(f"'{recipe.faces}' holds {len(faces)} faces: a batch of {recipe.batch} cameras needs two for each.")
    others = to_size(cached_faces(recipe.validation_faces, cache).images[:_FACES], SHARP_PX)
    real = real_faces(recipe, cache, watcher.on_prepare)
    material = CameraBatches(faces, real, recipe.batch, recipe.second_order, recipe.seed)
    batches = loaded_batches(material, before["step"] if before else 0, recipe.loaders, _PREFETCH)
    state = new_state(recipe)
    if before is not None:
        state.restore(before)
    return Trainer(state, batches, crossed(others, SMALL_PX, _CAMERAS, recipe.second_order), folder, watcher).run()


def new_state(recipe: RedegRecipe) -> State:
    """Start with randomly initialised networks."""
    torch.manual_seed(recipe.seed)
    model, judge = Redeg(recipe.network), Judge(recipe.loss.judge_width, recipe.network.dim)
    for network in (model, judge):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # several times as fast on a CPU
    return RunState.begin(recipe, model, (judge, recipe.loss.judge_rate))


def load_redeg(path: Path) -> tuple[Redeg, RedegRecipe]:
    """Return the averaged networks of a checkpoint, ready to run, and their recipe.

    Raises:
        TrainingError: the file is missing, damaged, not such a checkpoint, or this version cannot read its recipe.
        RecipeError: it holds other networks than its recipe says.
    """
    model, recipe, _ = load_averaged(path, SCHEMA, RedegRecipe, lambda recipe: Redeg(recipe.network))
    return model.to(memory_format=torch.channels_last), recipe  # type: ignore[call-overload]


def real_faces(recipe: RedegRecipe, cache: Path, done: Done) -> tuple[Luma8, Luma8]:
    """Return the recipe's real faces: restored (N, 64, 64), and original (N, 16, 16).

    The footage's sharp faces are not used.
    """
    footage: Footage = cached_footage(recipe.footage, SMALL_PX, SCALE, recipe.seed, cache, done)
    manifest = find_model(recipe.restorer)
    if manifest is None:
        raise RecipeError(f"restorer: there is no generator '{recipe.restorer}': give its name or the path of its manifest.")
    restorer = OnnxGenerator(manifest)
    if restorer.scale != SCALE:
        raise RecipeError(f"restorer: '{recipe.restorer}' enlarges {restorer.scale} times, x{SCALE} is needed.")
    return restorer(footage.low), footage.low


class _Batch(NamedTuple):
    """See ``CameraBatches``."""

    one: Tensor
    small_one: Tensor
    other: Tensor
    small_other: Tensor
    restored: Tensor
    real: Tensor


def _same_camera(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """InfoNCE of two omegas for each camera, (N, dim) each of mean square 1: symmetric; log(N) if they say nothing."""
    alike = one @ other.T / (one.shape[1] * temperature)
    numbers = torch.arange(len(one), device=one.device)
    return (functional.cross_entropy(alike, numbers) + functional.cross_entropy(alike.T, numbers)) / 2


def _given(batch: list[Tensor]) -> _Batch:
    return _Batch(*(part.contiguous(memory_format=torch.channels_last) for part in batch))


class Trainer(loop.Trainer[RedegRecipe, Redeg]):
    """See ``loop.Trainer``.

    SynNet must reproduce the small versions of the first faces, mostly from the omega of the second faces, and of the real ones
    from their own. Both omegas of a camera must agree. The judge sees all of SynNet's pictures.
    """

    schema = SCHEMA

    def __init__(self, state: State, batches: Iterator[list[Tensor]], sets: Crossed, folder: Path, watcher: Watcher) -> None:
        super().__init__(state, batches, folder, watcher)
        self._sets = sets
        self._against = AdversarialLoss("hinge")
        self._made: tuple[Tensor, Tensor, Tensor] | None = None
        """SynNet's last pictures with their sharp pictures and omegas, for training the judge."""

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, Parts]:
        spec, model, given = self._state.recipe.loss, self._state.model, _given(batch)
        sharp = torch.cat((given.one, given.other, given.restored))
        small = torch.cat((given.small_one, given.small_other, given.real))
        own, other, real = model.omega(sharp, small).chunk(3)
        swapped = torch.rand(len(own), 1, device=own.device) < self._state.recipe.swap
        omega = torch.cat((torch.where(swapped, other, own), real))
        drawn_on, wanted = torch.cat((given.one, given.restored)), torch.cat((given.small_one, given.real))
        made = model.apply_to(drawn_on, omega, wanted.shape[-1])
        losses = {
            "pixel": spec.pixel_weight * functional.l1_loss(made, wanted),
            "same": spec.same_weight * _same_camera(own, other, spec.same_temperature),
        }
        self._made = None
        if fraction >= spec.begin and spec.adversarial_weight:
            self._made = (made.detach(), drawn_on, omega.detach())
            judge = self._judge().requires_grad_(False)
            logits = judge(made, drawn_on, self._made[2])
            losses["adversarial"] = spec.adversarial_weight * self._against.generator(logits)
        return torch.stack(list(losses.values())).sum(), {name: float(loss.detach()) for name, loss in losses.items()}

    def _rival_loss(self, batch: list[Tensor], fraction: float) -> Tensor | None:
        if self._made is None:
            return None
        given, (made, sharp, omega) = _given(batch), self._made
        judge = self._judge().requires_grad_(True)
        true = judge(torch.cat((given.small_one, given.real)), sharp, omega)
        return self._against.discriminator(judge(made, sharp, omega), true)

    def _judge(self) -> Judge:
        assert self._state.rival is not None
        assert isinstance(self._state.rival.model, Judge)
        return self._state.rival.model

    def _measure(self) -> Row:
        shown = grid(self._state.ema, self._sets, _SHOWN_CAMERAS, _SHOWN_FACES)
        cv2.imwrite(str(self._folder / f"samples-{self._state.clock.step:06d}.png"), shown)
        row = separation(self._state.ema, self._sets)
        alike = np.mean([row["strength_r"], row["sharpness_r"], row["grain_r"]])
        return row | {"merit": float(alike)}
