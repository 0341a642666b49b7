"""What the training runs of detectors and embedders share: state, checkpoints, the loop over a budget of time."""

from __future__ import annotations

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from trt_build.errors import RecipeError, TrainingError
from trt_build.train.dataset import ENDLESS
from trt_build.train.journal import Journal
from trt_build.train.recipe import TimedRecipe
from trt_build.train.schedule import Clock, learning_rate
from trt_build.train.state import read_checkpoint, write_checkpoint

CHECKPOINT_SECONDS = 60.0
"""Training time that a crash can cost."""

AnyTimedRecipe = TypeVar("AnyTimedRecipe", bound=TimedRecipe)
Network = TypeVar("Network", bound=nn.Module)
Row = dict[str, float]


class Watcher(Protocol):
    """Shows progress."""

    def on_prepare(self, what: str, done: int, total: int) -> None: ...

    def on_step(self, step: int, fraction: float, loss: float, parts: dict[str, float], rate: float) -> None: ...

    def on_validation(self, row: Row) -> None: ...


@dataclass
class RunState(Generic[AnyTimedRecipe, Network]):
    """All that changes while training."""

    recipe: AnyTimedRecipe
    model: Network
    ema: Network
    optimiser: torch.optim.AdamW
    clock: Clock = field(default_factory=Clock)
    best: float = float("-inf")
    history: list[Row] = field(default_factory=list)

    @classmethod
    def begin(cls, recipe: AnyTimedRecipe, model: Network) -> RunState[AnyTimedRecipe, Network]:
        """Put a network on the GPU, where there is one, with an average and an optimiser."""
        model = model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        ema = copy.deepcopy(model).requires_grad_(False).eval()
        spec = recipe.optimiser
        optimiser = torch.optim.AdamW(model.parameters(), lr=spec.rate, betas=spec.betas, weight_decay=spec.weight_decay)
        return cls(recipe, model, ema, optimiser)

    def restore(self, data: dict[str, Any]) -> None:
        """Go on where a checkpoint stands."""
        self.model.load_state_dict(data["model"])
        self.ema.load_state_dict(data["ema"])
        self.optimiser.load_state_dict(data["optimiser"])
        self.clock = Clock(data["step"], data["seconds"])
        self.best, self.history = data["best"], data["history"]

    def save(self, path: Path, schema: str) -> None:
        """Write a checkpoint."""
        data: dict[str, Any] = {
            "schema": schema,
            "recipe": msgspec.to_builtins(self.recipe),
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.clock.step,
            "seconds": self.clock.seconds,
            "best": self.best,
            "history": self.history,
        }
        write_checkpoint(data, path)


def last_checkpoint(folder: Path, schema: str, *, resume: bool) -> dict[str, Any] | None:
    """Return the checkpoint to go on from, None for a new run.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false.
        TrainingError: there is nothing to resume, or it cannot be read.
    """
    last = folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(f"'{last}' exists: give --resume to continue it, or another --out.")
    return read_checkpoint(last, schema) if resume else None


def forked_batches(data: object, first: int, loaders: int, prefetch: int) -> Iterator[list[Tensor]]:
    """Return the batches from step ``first`` on, made by ``loaders`` processes (or here, for 0)."""
    loader: DataLoader[list[Tensor]] = DataLoader(
        cast(Dataset[list[Tensor]], data),
        batch_size=None,
        sampler=range(first, ENDLESS),
        num_workers=loaders,
        prefetch_factor=prefetch if loaders else None,
        # Forked, before torch has threads of its own: the material is shared instead of sent.
        multiprocessing_context="fork" if loaders else None,
    )
    return iter(loader)


class TimedTrainer(ABC, Generic[AnyTimedRecipe, Network]):
    """One run in ``folder``: last.pt, best.pt and validation.csv."""

    schema: str
    """Of the checkpoints."""

    def __init__(
        self, state: RunState[AnyTimedRecipe, Network], batches: Iterator[list[Tensor]], folder: Path, watcher: Watcher
    ) -> None:
        self._state, self._batches, self._folder, self._watcher = state, batches, folder, watcher
        self._device = next(state.model.parameters()).device
        self._journal = Journal(folder)
        self._last_loss = float("nan")

    @abstractmethod
    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and its parts, for a batch on the device and the share of the budget that is spent."""

    @abstractmethod
    def _measure(self) -> Row:
        """Return the figures of a validation; ``merit`` says how good the averaged network is."""

    def _between(self) -> None:
        """Called between two steps; not counted as training."""

    def run(self) -> RunState[AnyTimedRecipe, Network]:
        """Train until the budget is spent.

        Raises:
            TrainingError: the loss is not finite.
        """
        recipe, clock = self._state.recipe, self._state.clock
        torch.set_num_threads(recipe.threads)
        saved = validated = clock.seconds
        while clock.fraction(recipe.budget) < 1:
            started = time.perf_counter()
            self._step()
            clock.seconds += time.perf_counter() - started
            self._between()
            if clock.seconds - validated >= 60 * recipe.validate_every_minutes:
                validated = saved = clock.seconds
                self._validate()
            elif clock.seconds - saved >= CHECKPOINT_SECONDS:
                saved = clock.seconds
                self._state.save(self._folder / "last.pt", self.schema)
        if not self._state.history or self._state.history[-1]["step"] != clock.step:
            self._validate()
        return self._state

    def _step(self) -> None:
        state, recipe = self._state, self._state.recipe
        batch = [part.to(self._device, non_blocking=True) for part in next(self._batches)]
        rate, fraction = learning_rate(state.clock, recipe.budget, recipe.optimiser), state.clock.fraction(recipe.budget)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        loss, parts = self._loss(batch, fraction)
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
        self._watcher.on_step(state.clock.step, state.clock.fraction(recipe.budget), value, parts, rate)

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

    def _validate(self) -> None:
        state = self._state
        row = {"step": float(state.clock.step), "minutes": state.clock.seconds / 60, "loss": self._last_loss} | self._measure()
        state.history.append(row)
        self._journal.write(state.history)
        if row["merit"] > state.best:
            state.best = row["merit"]
            state.save(self._folder / "best.pt", self.schema)
        state.save(self._folder / "last.pt", self.schema)
        self._watcher.on_validation(row)
