"""The training loop of all networks: from batches to checkpoints and validation rows, over a budget of time or steps."""

from __future__ import annotations

import math
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Literal, Protocol, cast

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trt_build.data.batches import ENDLESS
from trt_build.errors import TrainingError
from trt_build.recipes.timed import AnyTimedRecipe
from trt_build.training.journal import Journal
from trt_build.training.run_state import RATE_SHARE, Network, Row, RunState
from trt_build.training.schedule import learning_rate

CHECKPOINT_SECONDS = 60.0
"""Most training time that a crash can cost."""
Parts = dict[str, float]


class Watcher(Protocol):
    """Shows progress."""

    def on_prepare(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` are done; a total of 0 is not known yet."""

    def on_step(self, step: int, fraction: float, loss: float, parts: Parts, rate: float) -> None: ...

    def on_validation(self, row: Row) -> None: ...


def loaded_batches(
    data: object, first: int, loaders: int, prefetch: int, method: Literal["fork", "spawn"] = "spawn"
) -> Iterator[list[Tensor]]:
    """Return the batches from step ``first`` on, made by ``loaders`` processes (0: this process).

    ``fork`` shares the material instead of sending it, and must happen before torch starts threads.
    """
    loader: DataLoader[list[Tensor]] = DataLoader(
        cast(Dataset[list[Tensor]], data),
        batch_size=None,
        sampler=range(first, ENDLESS),
        num_workers=loaders,
        prefetch_factor=prefetch if loaders else None,
        worker_init_fn=_quiet_loader,
        multiprocessing_context=method if loaders else None,
    )
    return iter(loader)


def _quiet_loader(_: int) -> None:
    """Limit a loader to one thread; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


class Trainer(ABC, Generic[AnyTimedRecipe, Network]):
    """One run in ``folder``: last.pt, best.pt and validation.csv."""

    schema: str
    """Schema of the checkpoints."""

    def __init__(
        self, state: RunState[AnyTimedRecipe, Network], batches: Iterator[list[Tensor]], folder: Path, watcher: Watcher
    ) -> None:
        self._state, self._batches, self._folder, self._watcher = state, batches, folder, watcher
        self._device = next(state.model.parameters()).device
        self._journal = Journal(folder)
        self._last_loss = float("nan")

    @abstractmethod
    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, Parts]:
        """Return the loss and its parts, for a batch on the device and the spent share of the budget."""

    @abstractmethod
    def _measure(self) -> Row:
        """Return the figures of a validation; ``merit`` says how good the averaged network is."""

    def _rival_loss(self, batch: list[Tensor], fraction: float) -> Tensor | None:
        """Return the loss of ``RunState.rival`` after the network's own step; None: it is not trained now."""
        return None

    def _between(self) -> None:
        """Called between two steps; not counted as training."""

    def run(self, stop_after: int | None = None) -> RunState[AnyTimedRecipe, Network]:
        """Train until the budget is spent, or for ``stop_after`` steps in total.

        ``last.pt`` is never older than a minute of training.

        Raises:
            TrainingError: the loss is not finite, or a checkpoint cannot be written.
        """
        recipe, clock = self._state.recipe, self._state.clock
        torch.set_num_threads(recipe.threads)
        saved = validated = clock.seconds
        while clock.fraction(recipe.budget) < 1 and clock.step != stop_after:
            started = time.perf_counter()
            self._step()
            clock.add(time.perf_counter() - started)
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
        loss, parts = self._loss(batch, fraction)
        self._descend(loss, state.model, state.optimiser, rate)
        if state.rival is not None and (against := self._rival_loss(batch, fraction)) is not None:
            parts["rival"] = float(against.detach())
            share = rate / recipe.optimiser.rate
            self._descend(against, state.rival.model, state.rival.optimiser, share * state.rival.optimiser.defaults["lr"])
        self._last_loss = float(loss.detach())
        state.clock.step += 1
        state.average()
        self._watcher.on_step(state.clock.step, state.clock.fraction(recipe.budget), self._last_loss, parts, rate)

    def _descend(self, loss: Tensor, model: torch.nn.Module, optimiser: torch.optim.Optimizer, rate: float) -> None:
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss is {value} at step {self._state.clock.step} (before: {self._last_loss:.5f}, learning rate "
                f"{rate:.2e}); lower optimiser.rate or check the data, then --resume."
            )
        for group in optimiser.param_groups:
            group["lr"] = rate * group.get(RATE_SHARE, 1.0)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), self._state.recipe.optimiser.clip_norm)
        optimiser.step()

    def _validate(self) -> None:
        state, recipe = self._state, self._state.recipe
        rate = learning_rate(state.clock, recipe.budget, recipe.optimiser)
        row = {"step": float(state.clock.step), "minutes": state.clock.seconds / 60, "rate": rate, "loss": self._last_loss}
        row |= self._measure()
        state.history.append(row)
        self._journal.write(state.history)
        if row["merit"] > state.best:
            state.best = row["merit"]
            state.save(self._folder / "best.pt", self.schema)
        state.save(self._folder / "last.pt", self.schema)
        self._watcher.on_validation(row)
