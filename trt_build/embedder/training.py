"""Adapts dlib's network to small faces while the vectors of sharp ones stay where they are."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from engine.contracts.frames import Float32
from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_resnet import INPUT, build_dlib_resnet
from engine.models.dlib_weights import DlibWeights, read_dlib_weights
from engine.runtime.session import open_session
from trt_build.embedder.chips import ENDLESS, ChipBatches, ChipFaces, as_input, load_chip_faces
from trt_build.embedder.recipe import EmbedderLossSpec, EmbedderRecipe
from trt_build.embedder.resnet import DlibResNet
from trt_build.errors import RecipeError, TrainingError
from trt_build.evaluate.verification import Trial, generated_pairs, seeded_folds, tar_at_fmr
from trt_build.train.journal import Journal
from trt_build.train.schedule import Clock, learning_rate
from trt_build.train.state import read_checkpoint, write_checkpoint

SCHEMA = "facestream-embedder/1"
CHECKPOINT_SECONDS = 60.0
VALIDATED_PX = (12, 16, 24, 32)
_FMR = 0.01
_CHUNK = 16


class Watcher(Protocol):
    """Shows progress."""

    def on_prepare(self, what: str, done: int, total: int) -> None: ...

    def on_step(self, step: int, fraction: float, loss: float, parts: dict[str, float], rate: float) -> None: ...

    def on_validation(self, row: dict[str, float]) -> None: ...


@dataclass
class State:
    """All that changes while training."""

    recipe: EmbedderRecipe
    model: DlibResNet
    ema: DlibResNet
    optimiser: torch.optim.AdamW
    clock: Clock = field(default_factory=Clock)
    best: float = float("-inf")
    history: list[dict[str, float]] = field(default_factory=list)


def train_embedder(recipe: EmbedderRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Adapt the packaged network into ``folder`` (last.pt, best.pt, validation.csv, cache/); on a GPU where there is one.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false.
        DataError: faces are missing.
        TrainingError: the loss is not finite.
    """
    last = folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(f"'{last}' exists: give --resume to continue it, or another --out.")
    cache, spec = folder / "cache", recipe.faces
    training = load_chip_faces(Path(spec.train), Path(spec.teacher), cache, watcher.on_prepare)
    validation = load_chip_faces(Path(spec.validation), Path(spec.teacher), cache, watcher.on_prepare)
    weights = read_dlib_weights(packaged_weights())
    batches = _loader(ChipBatches(training, recipe), recipe, read_checkpoint(last, SCHEMA)["step"] if resume else 0)
    targets = sharp_vectors(training, weights, cache / "targets.npy", watcher.on_prepare)
    state = _restored(last, recipe, weights) if resume else new_state(recipe, weights)
    return Trainer(state, batches, targets, training.people, validation, folder, watcher).run()


def new_state(recipe: EmbedderRecipe, weights: DlibWeights) -> State:
    """Begin with dlib's own numbers."""
    torch.manual_seed(recipe.seed)
    model = DlibResNet(weights).to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    ema = copy.deepcopy(model).requires_grad_(False).eval()
    spec = recipe.optimiser
    return State(
        recipe, model, ema, torch.optim.AdamW(model.parameters(), spec.rate, spec.betas, weight_decay=spec.weight_decay)
    )


def _restored(path: Path, recipe: EmbedderRecipe, weights: DlibWeights) -> State:
    data, state = read_checkpoint(path, SCHEMA), new_state(recipe, weights)
    state.model.load_state_dict(data["model"])
    state.ema.load_state_dict(data["ema"])
    state.optimiser.load_state_dict(data["optimiser"])
    state.clock = Clock(data["step"], data["seconds"])
    state.best, state.history = data["best"], data["history"]
    return state


def load_embedder(path: Path, weights: DlibWeights) -> DlibResNet:
    """Return the averaged network of a checkpoint; ``weights`` give its shape."""
    network = DlibResNet(weights)
    network.load_state_dict(read_checkpoint(path, SCHEMA)["ema"])
    return network.eval().requires_grad_(False)


def sharp_vectors(faces: ChipFaces, weights: DlibWeights, path: Path, done: Any) -> Float32:
    """Return the vectors of all sharp chips, as they are and mirrored, (N, 2, 128); kept in ``path``."""
    if path.exists():
        stored: Float32 = np.load(path)
        if stored.shape == (len(faces), 2, 128):
            return stored
    vectors = np.empty((len(faces), 2, 128), np.float32)
    with open_session(build_dlib_resnet(weights), name="dlib's network") as session:
        for index in range(len(faces)):
            chip = faces.sharp_chip(index)
            vectors[index] = session.run({INPUT: as_input(np.stack([chip, chip[:, ::-1]]))})[0]
            done("sharp vectors", index + 1, len(faces))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, vectors)
    return vectors


def adaptation_loss(
    vectors: Tensor, targets: Tensor, sharp: Tensor, everyone: Tensor, rivals: Tensor, spec: EmbedderLossSpec
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and its parts.

    Args:
        vectors: (B, 128) of the faces seen.
        targets: (B, 128) of the same faces when they are sharp.
        sharp: (B,) whether the face seen is.
        everyone: (N, 128) sharp vectors of all faces.
        rivals: (B, N) which of them belong to other people.
        spec: the weights.
    """
    apart = (vectors - targets).pow(2).sum(dim=1)
    distance = (apart * torch.where(sharp, spec.sharp, spec.distance)).mean()
    logits = -torch.cdist(vectors, everyone).pow(2) / spec.temperature
    logits = logits.masked_fill(~rivals, -torch.inf)
    own = -apart[:, None] / spec.temperature
    rank = functional.cross_entropy(
        torch.cat([own, logits], dim=1), torch.zeros(len(vectors), dtype=torch.long, device=own.device)
    )
    parts = {
        "small": float(apart[~sharp].detach().mean()),
        "sharp": float(apart[sharp].detach().mean()),
        "rank": float(rank.detach()),
    }
    return distance + spec.rank * rank, parts


def _loader(data: ChipBatches, recipe: EmbedderRecipe, first: int) -> Iterator[list[Tensor]]:
    loader: DataLoader[list[Tensor]] = DataLoader(
        cast(Dataset[list[Tensor]], data),
        batch_size=None,
        sampler=range(first, ENDLESS),
        num_workers=recipe.loaders,
        prefetch_factor=4 if recipe.loaders else None,
        multiprocessing_context="fork" if recipe.loaders else None,
    )
    return iter(loader)


class Trainer:
    """One run in ``folder``."""

    def __init__(
        self,
        state: State,
        batches: Iterator[list[Tensor]],
        targets: Float32,
        people: tuple[str, ...],
        validation: ChipFaces,
        folder: Path,
        watcher: Watcher,
    ) -> None:
        self._state, self._batches, self._folder, self._watcher = state, batches, folder, watcher
        self._device = next(state.model.parameters()).device
        self._targets = torch.from_numpy(targets).to(self._device)
        self._people = torch.from_numpy(np.unique(people, return_inverse=True)[1]).to(self._device)
        self._validation = validation
        self._journal = Journal(folder)
        self._last_loss = float("nan")

    def run(self) -> State:
        """Train until the budget is spent."""
        recipe, clock = self._state.recipe, self._state.clock
        torch.set_num_threads(recipe.threads)
        saved = validated = clock.seconds
        while clock.fraction(recipe.budget) < 1:
            started = time.perf_counter()
            self._step()
            clock.seconds += time.perf_counter() - started
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
        chips, indices, mirrored, sharp = (part.to(self._device) for part in next(self._batches))
        rate = learning_rate(state.clock, recipe.budget, recipe.optimiser)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        vectors = state.model(chips.float())
        targets = self._targets[indices, mirrored.long()]
        rivals = self._people[indices][:, None] != self._people[None]
        loss, parts = adaptation_loss(vectors, targets, sharp, self._targets[:, 0], rivals, recipe.loss)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(f"The loss is {value} at step {state.clock.step} (before: {self._last_loss:.4f}).")
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), recipe.optimiser.clip_norm)
        state.optimiser.step()
        state.clock.step += 1
        self._last_loss = value
        decay = min(recipe.optimiser.ema_decay, (1 + state.clock.step) / (10 + state.clock.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(state.ema.parameters()), list(state.model.parameters()), 1 - decay)
        self._watcher.on_step(state.clock.step, state.clock.fraction(recipe.budget), value, parts, rate)

    def _validate(self) -> None:
        state, recipe = self._state, self._state.recipe
        chosen = np.random.default_rng(recipe.seed).permutation(len(self._validation))[: recipe.validation_faces]
        pairs = generated_pairs([self._validation.people[index] for index in chosen], recipe.seed)
        folds = seeded_folds(pairs.same, recipe.seed)
        sharp = self._vectors([self._validation.sharp_chip(index) for index in chosen])
        row = {"step": float(state.clock.step), "minutes": state.clock.seconds / 60, "loss": self._last_loss}
        for side in (0, *VALIDATED_PX):
            low = self._vectors([self._validation.small_chip(index, side) for index in chosen]) if side else sharp
            apart = np.linalg.norm(sharp[pairs.left] - low[pairs.right], axis=1).astype(np.float64)
            row[f"tar_{side or 'sharp'}"] = tar_at_fmr(Trial(apart, pairs.same, folds), _FMR, np.ones(len(apart)))
        row["merit"] = float(np.mean([row[f"tar_{side}"] for side in VALIDATED_PX]))
        state.history.append(row)
        self._journal.write(state.history)
        if row["merit"] > state.best:
            state.best = row["merit"]
            self._save("best.pt")
        self._save("last.pt")
        self._watcher.on_validation(row)

    def _vectors(self, chips: list[Any]) -> Float32:
        """Of the averaged network, length 1."""
        parts = []
        with torch.inference_mode():
            for at in range(0, len(chips), _CHUNK):
                some = torch.from_numpy(np.stack(chips[at : at + _CHUNK])[:, None]).float().to(self._device)
                parts.append(functional.normalize(self._state.ema(some)).cpu().numpy())
        return np.concatenate(parts)

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
