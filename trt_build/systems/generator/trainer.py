"""Trains a generator, alone or against a discriminator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from trt_build.networks.generators.catalog import pictures_of
from trt_build.recipes.generator import Recipe
from trt_build.systems.generator.losses import GeneratorLoss, shrunk
from trt_build.systems.generator.state import SCHEMA, State
from trt_build.systems.generator.validation import Validator
from trt_build.training import loop
from trt_build.training.adversarial import AdversarialLoss
from trt_build.training.loop import Parts, Watcher
from trt_build.training.run_state import Row


class GeneratorTrainer(loop.Trainer[Recipe, nn.Module]):
    """See ``loop.Trainer``; in addition it writes sample pictures at each validation.

    A network with several scales is trained on all of them: the truth of the smaller ones is shrunk by area. The discriminator
    sees the largest.
    """

    schema = SCHEMA

    def __init__(
        self, state: State, batches: Iterator[list[Tensor]], validator: Validator, folder: Path, watcher: Watcher
    ) -> None:
        super().__init__(state, batches, folder, watcher)
        self._validator = validator
        self._losses = GeneratorLoss(state.recipe.loss).to(self._device)
        self._adversarial = state.recipe.loss.adversarial
        self._against = AdversarialLoss(self._adversarial.loss) if self._adversarial else None
        self._made: Tensor | None = None
        """The generator's last pictures, for training the discriminator."""

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, Parts]:
        low, high = (part.contiguous(memory_format=torch.channels_last) for part in batch)
        outputs = pictures_of(self._state.model, low)
        losses, parts = [], Parts()
        for output in outputs:
            times = high.shape[2] // output.shape[2]
            one, of_one = self._losses(output, shrunk(high, times) if times > 1 else high, low)
            losses.append(one / len(outputs))
            parts = {name: parts.get(name, 0.0) + value / len(outputs) for name, value in of_one.items()}
        loss = torch.stack(losses).sum()
        if (judged := self._judged(outputs[-1], high, fraction)) is not None:
            loss, parts["adversarial"] = loss + judged, float(judged.detach())
        return loss, parts

    def _judged(self, output: Tensor, high: Tensor, fraction: float) -> Tensor | None:
        """Return the weighted adversarial loss; None while the discriminator is not used."""
        self._made = None
        if self._adversarial is None or self._against is None or fraction < self._adversarial.begin:
            return None
        self._made = output.detach()
        judge = self._judge()
        judge.requires_grad_(False)
        real = None
        if self._against.needs_real:
            with torch.no_grad():
                real = judge(high)
        return self._adversarial.weight * self._against.generator(judge(output), real)

    def _rival_loss(self, batch: list[Tensor], fraction: float) -> Tensor | None:
        if self._made is None or self._against is None:
            return None
        judge = self._judge()
        judge.requires_grad_(True)
        return self._against.discriminator(judge(self._made), judge(batch[1]))

    def _judge(self) -> nn.Module:
        assert self._state.rival is not None
        return self._state.rival.model

    def _measure(self) -> Row:
        self._validator.write_samples(self._state.ema, f"samples-{self._state.clock.step:06d}")
        return self._validator.measure(self._state.ema)
