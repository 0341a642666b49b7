"""Trains a detector: scenes in, checkpoints, validation rows and mined false alarms out."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.runtime.session import cpu_has_bfloat16
from trt_build.detector import scoring
from trt_build.detector.batches import ENDLESS, SceneBatches, read_hard, write_hard
from trt_build.detector.losses import detection_loss
from trt_build.detector.material import Labelled, Material, prepare
from trt_build.detector.network import GreyDetector, cells_of
from trt_build.detector.recipe import DetectorRecipe
from trt_build.detector.scenes import compose
from trt_build.detector.textures import texture
from trt_build.errors import RecipeError, TrainingError
from trt_build.train.journal import Journal
from trt_build.train.schedule import Clock, learning_rate
from trt_build.train.state import read_checkpoint, write_checkpoint

SCHEMA = "facestream-detector/1"
CHECKPOINT_SECONDS = 60.0
_VALIDATION_SCENES = 150
_VALIDATION_SEED = 11


class Watcher(Protocol):
    """Shows progress."""

    def on_prepare(self, what: str, done: int, total: int) -> None: ...

    def on_step(self, step: int, fraction: float, loss: float, parts: dict[str, float], rate: float) -> None: ...

    def on_validation(self, row: dict[str, float]) -> None: ...


@dataclass
class State:
    """All that changes while training."""

    recipe: DetectorRecipe
    model: GreyDetector
    ema: GreyDetector
    optimiser: torch.optim.AdamW
    clock: Clock = field(default_factory=Clock)
    best: float = float("-inf")
    history: list[dict[str, float]] = field(default_factory=list)


def train_detector(recipe: DetectorRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Train ``recipe`` into ``folder`` (last.pt, best.pt, validation.csv, hard.npz, cache/); on a GPU where there is one.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or the other way round.
        DataError: material is missing.
        TrainingError: the loss is not finite.
    """
    last = folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(f"'{last}' exists: give --resume to continue it, or another --out.")
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    training, validation = prepare(recipe.material, folder / "cache", watcher.on_prepare)
    batches = _loader(SceneBatches(training, recipe, folder / "hard.npz"), recipe, last if resume else None)
    state = _restored(last, recipe) if resume else _new(recipe)
    return _Trainer(state, batches, training, validation, folder, watcher).run()


def _new(recipe: DetectorRecipe) -> State:
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = GreyDetector(**msgspec.structs.asdict(recipe.network)).to(device)
    ema = copy.deepcopy(model).requires_grad_(False).eval()
    spec = recipe.optimiser
    optimiser = torch.optim.AdamW(model.parameters(), lr=spec.rate, betas=spec.betas, weight_decay=spec.weight_decay)
    return State(recipe, model, ema, optimiser)


def _restored(path: Path, recipe: DetectorRecipe) -> State:
    data = read_checkpoint(path, SCHEMA)
    if msgspec.convert(data["recipe"], DetectorRecipe).network != recipe.network:
        raise RecipeError(f"'{path}' was trained with another 'network'; use another --out.")
    state = _new(recipe)
    state.model.load_state_dict(data["model"])
    state.ema.load_state_dict(data["ema"])
    state.optimiser.load_state_dict(data["optimiser"])
    state.clock = Clock(data["step"], data["seconds"])
    state.best, state.history = data["best"], data["history"]
    return state


def load_detector(path: Path) -> tuple[GreyDetector, DetectorRecipe]:
    """Return the averaged network of a checkpoint, ready to run, and its recipe."""
    data = read_checkpoint(path, SCHEMA)
    recipe = msgspec.convert(data["recipe"], DetectorRecipe)
    network = GreyDetector(**msgspec.structs.asdict(recipe.network))
    network.load_state_dict(data["ema"])
    return network.eval().requires_grad_(False), recipe


def chosen_threshold(path: Path) -> float:
    """Return the threshold of the best validation of a run."""
    history = read_checkpoint(path, SCHEMA)["history"]
    return float(max(history, key=lambda row: row["merit"])["threshold"])


def _loader(data: SceneBatches, recipe: DetectorRecipe, resumed: Path | None) -> Iterator[list[Tensor]]:
    first = read_checkpoint(resumed, SCHEMA)["step"] if resumed else 0
    loader: DataLoader[list[Tensor]] = DataLoader(
        cast(Dataset[list[Tensor]], data),
        batch_size=None,
        sampler=range(first, ENDLESS),
        num_workers=recipe.loaders,
        prefetch_factor=6 if recipe.loaders else None,
        # Forked, before torch has threads of its own: the material is shared instead of sent.
        multiprocessing_context="fork" if recipe.loaders else None,
    )
    return iter(loader)


class _Trainer:
    def __init__(
        self,
        state: State,
        batches: Iterator[list[Tensor]],
        training: Material,
        validation: Material,
        folder: Path,
        watcher: Watcher,
    ) -> None:
        self._state, self._batches, self._folder, self._watcher = state, batches, folder, watcher
        self._training, self._validation = training, validation
        self._journal = Journal(folder)
        self._device = next(state.model.parameters()).device
        side = state.recipe.scene.side_px
        self._cells = cells_of(side, side, self._device)
        self._last_loss = float("nan")
        self._hard = read_hard(folder / "hard.npz") if (folder / "hard.npz").exists() else []

    def run(self) -> State:
        recipe, clock = self._state.recipe, self._state.clock
        torch.set_num_threads(recipe.threads)
        saved = mined = validated = clock.seconds
        while clock.fraction(recipe.budget) < 1:
            started = time.perf_counter()
            self._step()
            clock.seconds += time.perf_counter() - started
            if clock.seconds - mined >= 60 * recipe.mining.every_minutes:
                mined = clock.seconds
                self._mine()
            if clock.seconds - validated >= 60 * recipe.validate_every_minutes:
                validated = saved = clock.seconds
                self._validate()
            elif clock.seconds - saved >= CHECKPOINT_SECONDS:
                saved = clock.seconds
                self._save("last.pt")
        self._validate()
        return self._state

    def _step(self) -> None:
        state, recipe = self._state, self._state.recipe
        images, *targets = (part.to(self._device, non_blocking=True) for part in next(self._batches))
        rate = learning_rate(state.clock, recipe.budget, recipe.optimiser)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        half = self._device.type == "cuda" or cpu_has_bfloat16()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            raw = state.model(images.float().contiguous(memory_format=torch.channels_last))
        fraction = state.clock.fraction(recipe.budget)
        loss, parts = detection_loss(raw.float(), self._cells, (targets[0], targets[1], targets[2]), recipe.loss, fraction)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss is {value} at step {state.clock.step} (before: {self._last_loss:.4f}); lower optimiser.rate."
            )
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), recipe.optimiser.clip_norm)
        state.optimiser.step()
        state.clock.step += 1
        self._last_loss = value
        self._average()
        self._watcher.on_step(state.clock.step, fraction, value, parts, rate)

    def _average(self) -> None:
        """Move the average towards the model; statistics of batch normalisation too."""
        state = self._state
        decay = min(state.recipe.optimiser.ema_decay, (1 + state.clock.step) / (10 + state.clock.step))
        with torch.no_grad():
            for average, current in zip(state.ema.state_dict().values(), state.model.state_dict().values(), strict=True):
                if average.dtype.is_floating_point:
                    average.lerp_(current, 1 - decay)
                else:
                    average.copy_(current)

    def _mine(self) -> None:
        """Look at pictures without a face, and keep what the network takes for one."""
        spec, clock = self._state.recipe.mining, self._state.clock
        rng = np.random.default_rng((self._state.recipe.seed, 7_000_003, clock.step))
        for _ in range(spec.pictures):
            if self._training.backgrounds and rng.random() < 0.6:
                picture = self._training.backgrounds[rng.integers(len(self._training.backgrounds))]
                scale = float(np.exp(rng.uniform(np.log(0.5), np.log(1.5))))
                picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            else:
                picture = texture(2 * self._state.recipe.scene.side_px, rng).astype(np.uint8)
            found = scoring.find_faces(self._state.ema, picture, spec.min_score)
            self._hard += scoring.windows(picture, list(found.boxes[:10]))
        self._hard = self._hard[-spec.keep :]
        write_hard(self._folder / "hard.npz", self._hard)

    def _validate(self) -> None:
        state = self._state
        tally = scoring.measure(state.ema, [*self._validation.frames, *validation_scenes(self._validation, state.recipe)])
        threshold = tally.best_threshold()
        row = {"step": float(state.clock.step), "minutes": state.clock.seconds / 60, "loss": self._last_loss}
        row |= {"hard": float(len(self._hard)), "threshold": threshold} | tally.figures(threshold)
        row["merit"] = 2 * row["recall"] * row["precision"] / max(1e-6, row["recall"] + row["precision"]) - row["points"]
        state.history.append(row)
        self._journal.write(state.history)
        if row["merit"] > state.best:
            state.best = row["merit"]
            self._save("best.pt")
        self._save("last.pt")
        self._watcher.on_validation(row)

    def _save(self, name: str) -> None:
        state = self._state
        data: dict[str, Any] = {
            "schema": SCHEMA,
            "recipe": msgspec.to_builtins(state.recipe),
            "model": state.model.state_dict(),
            "ema": state.ema.state_dict(),
            "optimiser": state.optimiser.state_dict(),
            "step": state.clock.step,
            "seconds": state.clock.seconds,
            "best": state.best,
            "history": state.history,
        }
        write_checkpoint(data, self._folder / name)


def validation_scenes(material: Material, recipe: DetectorRecipe, count: int = _VALIDATION_SCENES) -> list[Labelled]:
    """Return composed scenes of the validation side, always the same."""
    spec = msgspec.structs.replace(recipe.scene, real=0.0, side_px=384)
    scenes = [compose(material, [], spec, np.random.default_rng((_VALIDATION_SEED, at))) for at in range(count)]
    return [Labelled(scene.image, scene.boxes, scene.points, scene.ignored) for scene in scenes]
