"""The training loop: batches in, checkpoints, validation rows and sample pictures out."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trt_build.errors import TrainingError
from trt_build.train import state as states
from trt_build.train.dataset import ENDLESS, TrainBatches
from trt_build.train.journal import Journal
from trt_build.train.losses import FidelityLoss
from trt_build.train.schedule import learning_rate
from trt_build.train.state import State
from trt_build.train.validation import Validator

CHECKPOINT_SECONDS = 60.0
"""Training time that a crash can cost."""


@dataclass(frozen=True)
class StepReport:
    """What the loop tells whoever watches, after each step."""

    step: int
    seconds: float
    fraction: float
    loss: float
    rate: float
    gradient_norm: float
    """Before clipping."""


class Watcher(Protocol):
    """Shows progress: of making the H.264 bank, of the steps, and each validation."""

    def on_prepare(self, faces: int) -> None: ...

    def on_encoded(self, faces: int) -> None: ...

    def on_step(self, report: StepReport) -> None: ...

    def on_validation(self, row: dict[str, float]) -> None: ...


def _batches(data: TrainBatches, first: int, workers: int) -> Iterator[list[Tensor]]:
    """Batches from step `first` on, made in a background process (or here, for 0 workers)."""
    loader: DataLoader[list[Tensor]] = DataLoader(
        cast(Dataset[list[Tensor]], data),
        batch_size=None,
        sampler=range(first, ENDLESS),
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_quiet_worker,
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


def _quiet_worker(_: int) -> None:
    """One thread each; Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


class Trainer:
    """One run in `folder`; `run` returns when the budget is spent."""

    def __init__(
        self,
        state: State,
        data: TrainBatches,
        validator: Validator,
        folder: Path,
        watcher: Watcher,
        workers: int = 1,
    ) -> None:
        self.state = state
        self._data = data
        self._validator = validator
        self._journal = Journal(folder)
        self._folder = folder
        self._watcher = watcher
        self._workers = workers
        self._loss = FidelityLoss(state.recipe.loss)
        self._last_finite = float("nan")

    def run(self, stop_after: int | None = None) -> State:
        """Train until the budget is spent (or `stop_after` steps in all), validating on the way.

        `last.pt` is never older than a minute of training, however the run ends.
        """
        torch.set_num_threads(self.state.recipe.threads)
        self._loop(stop_after)
        self._validate()
        return self.state

    def _loop(self, stop_after: int | None) -> None:
        clock, recipe = self.state.clock, self.state.recipe
        batches = _batches(self._data, clock.step, self._workers)
        interval = 60 * recipe.validation.every_minutes
        next_validation = clock.seconds + interval
        next_checkpoint = clock.seconds + CHECKPOINT_SECONDS
        started = time.perf_counter()
        while clock.fraction(recipe.budget) < 1 and clock.step != stop_after:
            self._step(next(batches))
            clock.seconds += time.perf_counter() - started
            if clock.seconds >= next_validation:
                self._validate()
                next_validation = clock.seconds + interval
            elif clock.seconds >= next_checkpoint:
                states.save(self.state, self._folder / "last.pt")
                next_checkpoint = clock.seconds + CHECKPOINT_SECONDS
            started = time.perf_counter()

    def _step(self, batch: list[Tensor]) -> None:
        state, recipe = self.state, self.state.recipe
        rate = learning_rate(state.clock, recipe.budget, recipe.optimiser)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        low, high = (part.contiguous(memory_format=torch.channels_last) for part in batch)
        state.optimiser.zero_grad(set_to_none=True)
        loss = self._loss(state.model(low), high)
        loss.backward()
        parameters = state.model.parameters()
        norm = torch.nn.utils.clip_grad_norm_(parameters, recipe.optimiser.clip_norm)
        value = float(loss.detach())
        self._require_finite(value, rate)
        state.optimiser.step()
        state.clock.step += 1
        states.update_ema(state)
        fraction = state.clock.fraction(recipe.budget)
        seconds = state.clock.seconds
        self._watcher.on_step(StepReport(state.clock.step, seconds, fraction, value, rate, float(norm)))

    def _require_finite(self, value: float, rate: float) -> None:
        if math.isfinite(value):
            self._last_finite = value
            return
        raise TrainingError(
            f"The loss is {value} at step {self.state.clock.step} (before: {self._last_finite:.5f},"
            f" learning rate {rate:.2e}); lower optimiser.rate or check the data, then --resume."
        )

    def _validate(self) -> None:
        state = self.state
        row: dict[str, float] = {
            "step": float(state.clock.step),
            "minutes": state.clock.seconds / 60,
            "rate": learning_rate(state.clock, state.recipe.budget, state.recipe.optimiser),
            "loss": self._last_finite,
        }
        row |= self._validator.measure(state.ema)
        state.history.append(row)
        self._journal.write(state.history)
        self._validator.write_samples(state.ema, f"samples-{state.clock.step:06d}")
        if row["merit"] > state.best:
            state.best = row["merit"]
            states.save(state, self._folder / "best.pt")
        states.save(state, self._folder / "last.pt")
        self._watcher.on_validation(row)
