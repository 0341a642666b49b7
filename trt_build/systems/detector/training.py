"""Trains a detector: from scenes to checkpoints, validation rows and mined mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
import torch
from torch import Tensor

from trt_build.data.scenes.compose import agreed, compose
from trt_build.data.scenes.hard import Hard, read_hard, write_hard
from trt_build.data.scenes.material import Material, prepare
from trt_build.data.scenes.teacher import Labelled, Teacher
from trt_build.errors import TrainingError
from trt_build.networks.grey_detector import GreyDetector, cells_of
from trt_build.recipes.detector import DetectorRecipe
from trt_build.systems.detector import scoring
from trt_build.systems.detector.batches import SceneBatches
from trt_build.systems.detector.growth import grow_from
from trt_build.systems.detector.losses import detection_loss, unlikeness
from trt_build.systems.detector.mining import mine
from trt_build.training import loop
from trt_build.training.checkpoint import check_unchanged, last_checkpoint, load_averaged, read_checkpoint, recipe_of
from trt_build.training.loop import Watcher, loaded_batches
from trt_build.training.run_state import Row, RunState
from trt_build.writing import make_folder

SCHEMA = "facestream-detector/1"
_PREFETCH = 6
_VALIDATION_SCENES = 100
_VALIDATION_SEED = 11
_START_BATCHES = 6
State = RunState[DetectorRecipe, GreyDetector]


def train_detector(recipe: DetectorRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Train ``recipe`` into ``folder`` (last.pt, best.pt, validation.csv, hard.npz, cache/); on a GPU where there is one.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or one of another network.
        DataError: material is missing.
        TrainingError: there is nothing to resume, or the loss is not finite.
    """
    before = last_checkpoint(folder, SCHEMA, resume=resume)
    if before is not None:
        check_unchanged(recipe_of(before, DetectorRecipe, f"The run in '{folder}'"), recipe, ("network",))
    cv2.setNumThreads(1)
    make_folder(folder)
    training, validation = prepare(recipe.material, folder / "cache", watcher.on_prepare)
    teacher = Teacher(Path(recipe.material.teacher))
    scenes = SceneBatches(training, recipe, folder / "hard.npz", teacher)
    batches = loaded_batches(scenes, before["step"] if before else 0, recipe.loaders, _PREFETCH, "fork")
    state = new_state(recipe)
    if before is not None:
        state.restore(before)
    elif recipe.start:
        begin_as(state, Path(recipe.start), scenes)
    pictures = [
        *validation.frames,
        *_validation_scenes(validation, recipe, teacher),
        *validation.pictures,
        *validation.negatives,
    ]
    return Trainer(state, batches, training, pictures, folder, watcher).run()


def new_state(recipe: DetectorRecipe) -> State:
    """Start with a randomly initialised network."""
    torch.manual_seed(recipe.seed)
    return RunState.begin(recipe, network_of(recipe))


def network_of(recipe: DetectorRecipe) -> GreyDetector:
    """Return the untrained network of a recipe."""
    return GreyDetector(**msgspec.structs.asdict(recipe.network))


def begin_as(state: State, exported: Path, scenes: SceneBatches) -> None:
    """Start with the weights of an exported network, see ``grow_from``."""
    device = next(state.model.parameters()).device
    pictures = torch.cat([torch.from_numpy(scenes[step][0]) for step in range(_START_BATCHES)]).float().to(device)
    grow_from(state.model, exported, pictures)
    state.ema.load_state_dict(state.model.state_dict())


def load_detector(path: Path) -> tuple[GreyDetector, DetectorRecipe]:
    """Return the averaged network of a checkpoint, ready to run, and its recipe.

    Raises:
        TrainingError: it cannot be read, or this version cannot read its recipe.
        RecipeError: it holds another network than its recipe says.
    """
    return load_averaged(path, SCHEMA, DetectorRecipe, network_of)[:2]


def last_validation(path: Path) -> Row:
    """Return the figures of a checkpoint's own validation, including ``threshold`` and ``quiet_threshold``, see ``Tally``.

    Raises:
        TrainingError: the checkpoint cannot be read, or is older than the run's first validation.
    """
    history: list[Row] = read_checkpoint(path, SCHEMA)["history"]
    if not history:
        raise TrainingError(f"'{path}' was written before the first validation of its run: train on, or take best.pt.")
    return history[-1]


class Trainer(loop.Trainer[DetectorRecipe, GreyDetector]):
    """See ``loop.Trainer``."""

    schema = SCHEMA

    def __init__(
        self,
        state: State,
        batches: Iterator[list[Tensor]],
        training: Material,
        validation: list[Labelled],
        folder: Path,
        watcher: Watcher,
    ) -> None:
        super().__init__(state, batches, folder, watcher)
        self._training, self._validation = training, validation
        side = state.recipe.scene.side_px
        self._cells = cells_of(side, side, self._device)
        self._mined_seconds = state.clock.seconds
        self._hard = read_hard(folder / "hard.npz") if (folder / "hard.npz").exists() else Hard()

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, dict[str, float]]:
        images, states, boxes, points, *taught = batch
        recipe, model = self._state.recipe, self._state.model
        with torch.autocast(self._device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            raw, features = model.read(model.features(images.float().contiguous(memory_format=torch.channels_last)))
        soft = taught[0] if taught else None
        targets = (states, boxes, points)
        loss, parts = detection_loss(raw.float(), self._cells, targets, recipe.loss, fraction, soft, recipe.distil.soft)
        weight = recipe.distil.features * max(0.0, 1 - fraction / max(1e-6, recipe.distil.until))
        if taught and weight > 0:
            unlike = unlikeness(features, taught[1], taught[2])
            loss, parts["features"] = loss + weight * unlike, float(unlike.detach())
        return loss, parts

    def _between(self) -> None:
        seconds = self._state.clock.seconds
        if seconds - self._mined_seconds >= 60 * self._state.recipe.mining.every_minutes:
            self._mined_seconds = seconds
            self._mine()

    def _mine(self) -> None:
        recipe, state = self._state.recipe, self._state
        rng = np.random.default_rng((recipe.seed, 7_000_003, state.clock.step))
        self._hard = mine(state.ema, self._training, self._hard, recipe.mining, recipe.scene.side_px, rng)
        write_hard(self._folder / "hard.npz", self._hard)

    def _measure(self) -> Row:
        state = self._state
        tally = scoring.measure(state.ema, self._validation)
        threshold = tally.careful_threshold()
        row = {"hard": float(len(self._hard)), "quiet_threshold": tally.quiet_threshold(), "threshold": threshold}
        row |= tally.figures(threshold)
        merit = row["recall"] - (row["points"] if np.isfinite(row["points"]) else 1.0)  # not finite if no face was found yet
        return row | {"merit": merit}


def _validation_scenes(material: Material, recipe: DetectorRecipe, teacher: Teacher) -> list[Labelled]:
    """Return composed validation scenes with the faces that the teacher sees too, half of them empty; always the same."""
    crowded = msgspec.structs.replace(recipe.scene, side_px=384)
    empty = msgspec.structs.replace(crowded, faces=0)
    scenes = []
    for number in range(2 * _VALIDATION_SCENES):
        scene = compose(material, [], empty if number % 2 else crowded, np.random.default_rng((_VALIDATION_SEED, number)))
        scenes.append(agreed(scene, teacher.label(scene.image, full_range=False)))
    return [Labelled(scene.image, scene.boxes, scene.points, scene.ignored) for scene in scenes]
