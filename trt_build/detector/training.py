"""Trains a detector: scenes in, checkpoints, validation rows and mined false alarms out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
import torch
from torch import Tensor

from engine.contracts.frames import Uint8
from trt_build.detector import scoring
from trt_build.detector.batches import SceneBatches, read_hard, write_hard
from trt_build.detector.losses import detection_loss
from trt_build.detector.material import Material, prepare
from trt_build.detector.network import GreyDetector, cells_of
from trt_build.detector.recipe import DetectorRecipe
from trt_build.detector.scenes import agreed, compose
from trt_build.detector.teacher import Labelled, Teacher
from trt_build.detector.textures import texture
from trt_build.errors import TrainingError
from trt_build.train import loop
from trt_build.train.checkpoint import check_unchanged, fill, last_checkpoint, read_checkpoint, recipe_of
from trt_build.train.loop import Watcher, loaded_batches
from trt_build.train.run_state import Row, RunState
from trt_build.writing import make_folder

SCHEMA = "facestream-detector/1"
_PREFETCH = 6
_VALIDATION_SCENES = 200
_VALIDATION_SEED = 11
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
    pictures = [*validation.frames, *validation_scenes(validation, recipe, teacher)]
    return Trainer(state, batches, training.backgrounds, pictures, folder, watcher).run()


def new_state(recipe: DetectorRecipe) -> State:
    """Begin with a network of random numbers."""
    torch.manual_seed(recipe.seed)
    return RunState.begin(recipe, GreyDetector(**msgspec.structs.asdict(recipe.network)))


def load_detector(path: Path) -> tuple[GreyDetector, DetectorRecipe]:
    """Return the averaged network of a checkpoint, ready to run, and its recipe.

    Raises:
        TrainingError: it cannot be read, or its recipe is not one of this version.
        RecipeError: it holds another network than its recipe says.
    """
    data = read_checkpoint(path, SCHEMA)
    recipe = recipe_of(data, DetectorRecipe, f"'{path}'")
    network = GreyDetector(**msgspec.structs.asdict(recipe.network))
    fill(network, data["ema"], f"'{path}'")
    return network.eval().requires_grad_(False), recipe


def last_validation(path: Path) -> Row:
    """Return the figures of a checkpoint's own validation: ``threshold`` is that of the best F1, ``quiet_threshold`` that of no
    false alarm on empty pictures.

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
        backgrounds: list[Uint8],
        validation: list[Labelled],
        folder: Path,
        watcher: Watcher,
    ) -> None:
        super().__init__(state, batches, folder, watcher)
        self._backgrounds, self._validation = backgrounds, validation
        side = state.recipe.scene.side_px
        self._cells = cells_of(side, side, self._device)
        self._mined_seconds = state.clock.seconds
        self._hard = read_hard(folder / "hard.npz") if (folder / "hard.npz").exists() else []

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, dict[str, float]]:
        images, states, boxes, points = batch
        half = self._state.recipe.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            raw = self._state.model(images.float().contiguous(memory_format=torch.channels_last))
        return detection_loss(raw.float(), self._cells, (states, boxes, points), self._state.recipe.loss, fraction)

    def _between(self) -> None:
        seconds = self._state.clock.seconds
        if seconds - self._mined_seconds >= 60 * self._state.recipe.mining.every_minutes:
            self._mined_seconds = seconds
            self._mine()

    def _mine(self) -> None:
        """Look at pictures without a face, and keep what the network takes for one."""
        spec, clock = self._state.recipe.mining, self._state.clock
        rng = np.random.default_rng((self._state.recipe.seed, 7_000_003, clock.step))
        for _ in range(spec.pictures):
            if self._backgrounds and rng.random() < 0.6:
                picture = self._backgrounds[rng.integers(len(self._backgrounds))]
                scale = float(np.exp(rng.uniform(np.log(0.5), np.log(1.5))))
                picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            else:
                picture = texture(2 * self._state.recipe.scene.side_px, rng).astype(np.uint8)
            found = scoring.find_faces(self._state.ema, picture, spec.min_score)
            self._hard += scoring.windows(picture, list(found.boxes[:10]))
        self._hard = self._hard[-spec.keep :]
        write_hard(self._folder / "hard.npz", self._hard)

    def _measure(self) -> Row:
        state = self._state
        tally = scoring.measure(state.ema, self._validation)
        threshold = tally.best_threshold()
        row = {"hard": float(len(self._hard)), "quiet_threshold": tally.quiet_threshold(), "threshold": threshold}
        row |= tally.figures(threshold)
        merit = 2 * row["recall"] * row["precision"] / max(1e-6, row["recall"] + row["precision"])
        merit -= row["points"] if np.isfinite(row["points"]) else 1.0  # not finite: no face was found yet
        return row | {"merit": merit}


def validation_scenes(material: Material, recipe: DetectorRecipe, teacher: Teacher) -> list[Labelled]:
    """Return composed scenes of the validation side with what the teacher sees too, half of them empty; always the same."""
    crowded = msgspec.structs.replace(recipe.scene, side_px=384)
    empty = msgspec.structs.replace(crowded, faces=0)
    scenes = []
    for number in range(2 * _VALIDATION_SCENES):
        scene = compose(material, [], empty if number % 2 else crowded, np.random.default_rng((_VALIDATION_SEED, number)))
        scenes.append(agreed(scene, teacher.label(scene.image, full_range=False)))
    return [Labelled(scene.image, scene.boxes, scene.points, scene.ignored) for scene in scenes]
