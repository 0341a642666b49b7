"""Everything that changes while a network is trained."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import torch
from torch import nn

from trt_build.optional import require
from trt_build.recipes.timed import AnyTimedRecipe, OptimiserSpec
from trt_build.training.checkpoint import write_checkpoint
from trt_build.training.schedule import Clock

Network = TypeVar("Network", bound=nn.Module)
Row = dict[str, float]
RATE_SHARE = "rate_share"
"""Key of an optimiser's group: its share of the learning rate, 1 by default."""
_POWER_ITERATION = (".0._u", ".0._v")
"""Torch's names of the vectors of `spectral_norm`."""


@dataclass
class Rival:
    """A network trained against the main one, such as the discriminator of a GAN."""

    model: nn.Module
    optimiser: torch.optim.Optimizer


@dataclass
class RunState(Generic[AnyTimedRecipe, Network]):
    """Network, its moving average, optimiser and clock; saved and restored exactly."""

    recipe: AnyTimedRecipe
    model: Network
    ema: Network
    optimiser: torch.optim.Optimizer
    rival: Rival | None = None
    clock: Clock = field(default_factory=Clock)
    best: float = float("-inf")
    history: list[Row] = field(default_factory=list)
    """A row for each validation."""

    @classmethod
    def begin(
        cls,
        recipe: AnyTimedRecipe,
        model: Network,
        rival: tuple[nn.Module, float] | None = None,
        slower: tuple[nn.Module, float] | None = None,
    ) -> RunState[AnyTimedRecipe, Network]:
        """Put a network on the GPU, if there is one, with an average and an optimiser.

        Args:
            recipe: of the run.
            model: the network.
            rival: network that is trained against it, and its rate.
            slower: a part of the network, and its share of the learning rate.
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = model.to(device)
        ema = copy.deepcopy(model).requires_grad_(False).eval()
        state = cls(recipe, model, ema, _optimiser(model, recipe.optimiser, slower))
        if rival is not None:
            against = rival[0].to(device)
            state.rival = Rival(against, _optimiser(against, msgspec.structs.replace(recipe.optimiser, rate=rival[1])))
        return state

    def average(self) -> None:
        """Move the average towards the model; the decay grows to its value over the first steps.

        Statistics of batch normalisation are averaged too; the vectors of spectral norm are copied: an average of unit vectors
        is shorter, so the weights would be divided by too little.
        """
        decay = min(self.recipe.optimiser.ema_decay, (1 + self.clock.step) / (10 + self.clock.step))
        averages, currents = [], []
        with torch.no_grad():
            present = self.model.state_dict()
            for name, average in self.ema.state_dict().items():
                current = present[name]
                if average.dtype.is_floating_point and not name.endswith(_POWER_ITERATION):
                    averages.append(average)
                    currents.append(current)
                else:
                    average.copy_(current)
            torch._foreach_lerp_(averages, currents, 1 - decay)

    def save(self, path: Path, schema: str) -> None:
        """Write a checkpoint.

        Raises:
            TrainingError: it cannot be written; the one before stays.
        """
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
            "torch_rng": torch.get_rng_state(),
        }
        if self.rival is not None:
            data |= {"rival": self.rival.model.state_dict(), "rival_optimiser": self.rival.optimiser.state_dict()}
        write_checkpoint(data, path)

    def restore(self, data: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.model.load_state_dict(data["model"])
        self.ema.load_state_dict(data["ema"])
        self.optimiser.load_state_dict(data["optimiser"])
        if self.rival is not None:
            self.rival.model.load_state_dict(data["rival"])
            self.rival.optimiser.load_state_dict(data["rival_optimiser"])
        self.clock = Clock(data["step"], data["seconds"])
        self.best, self.history = data["best"], data["history"]
        if "torch_rng" in data:
            torch.set_rng_state(data["torch_rng"])


def _optimiser(model: nn.Module, spec: OptimiserSpec, slower: tuple[nn.Module, float] | None = None) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [{"params": trained}]
    if slower is not None:
        part = set(slower[0].parameters())
        groups = [
            {"params": [one for one in trained if one not in part]},
            {"params": [one for one in trained if one in part], RATE_SHARE: slower[1]},
        ]
    if spec.method == "adamw":
        return torch.optim.AdamW(groups, lr=spec.rate, betas=spec.betas, weight_decay=spec.weight_decay)
    require("pytorch_optimizer", "optimiser.method 'soap'")
    from pytorch_optimizer import SOAP

    return SOAP(groups, lr=spec.rate, betas=spec.betas, weight_decay=spec.weight_decay)
