"""The state of a run: model, its moving average, optimiser, clock; saved and restored exactly."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from engine.contracts.manifest import read_manifest
from engine.models.catalog import find_model
from trt_build.errors import RecipeError, TrainingError
from trt_build.generators.catalog import build_generator
from trt_build.train.recipe import Recipe
from trt_build.train.schedule import Clock

SCHEMA = "facestream-checkpoint/1"


@dataclass
class State:
    """All that changes while training; `history` holds one row per validation."""

    recipe: Recipe
    model: nn.Module
    ema: nn.Module
    optimiser: torch.optim.AdamW
    clock: Clock = field(default_factory=Clock)
    best: float = float("-inf")
    history: list[dict[str, float]] = field(default_factory=list)


def new_state(recipe: Recipe) -> State:
    """Seed torch and build model, average and optimiser."""
    torch.manual_seed(recipe.seed)
    model = build_generator(recipe.generator.name, recipe.generator.options)
    if recipe.start:
        load_exported(model, recipe.start)
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    ema = copy.deepcopy(model).requires_grad_(False).eval()
    spec = recipe.optimiser
    optimiser = torch.optim.AdamW(model.parameters(), lr=spec.rate, betas=spec.betas, weight_decay=spec.weight_decay)
    return State(recipe, model, ema, optimiser)


def load_exported(model: nn.Module, name: str) -> None:
    """Give a network the weights of an exported one: its ONNX file holds them under the names that they have in torch.

    Raises:
        RecipeError: there is no such model, or it is another network.
    """
    manifest_path = find_model(name)
    if manifest_path is None or manifest_path.suffix != ".json":
        raise RecipeError(f"There is no generator '{name}' to start from: give its name or the path of its manifest.")
    file = manifest_path.with_name(read_manifest(manifest_path).file)
    stored = {one.name: numpy_helper.to_array(one) for one in onnx.load(str(file)).graph.initializer}
    wanted = model.state_dict()
    if missing := [key for key, value in wanted.items() if key not in stored or stored[key].shape != tuple(value.shape)]:
        raise RecipeError(f"'{file}' is not the recipe's network: it has no {missing[0]} of that size.")
    model.load_state_dict({key: torch.from_numpy(stored[key].copy()) for key in wanted})


def update_ema(state: State) -> None:
    """Move the average towards the model; the decay grows to its value over the first steps."""
    step = state.clock.step
    decay = min(state.recipe.optimiser.ema_decay, (1 + step) / (10 + step))
    average: list[Tensor] = list(state.ema.parameters())
    current: list[Tensor] = list(state.model.parameters())
    with torch.no_grad():
        torch._foreach_lerp_(average, current, 1 - decay)


def save(state: State, path: Path) -> None:
    """Write the checkpoint."""
    data = {
        "schema": SCHEMA,
        "recipe": msgspec.to_builtins(state.recipe),
        "model": state.model.state_dict(),
        "ema": state.ema.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "step": state.clock.step,
        "seconds": state.clock.seconds,
        "best": state.best,
        "history": state.history,
        "torch_rng": torch.get_rng_state(),
    }
    write_checkpoint(data, path)


def write_checkpoint(data: dict[str, Any], path: Path) -> None:
    """Write beside and move into place, so that a crash leaves the old one."""
    partial = path.with_suffix(".partial")
    torch.save(data, partial)
    os.replace(partial, path)


def read_checkpoint(path: Path, schema: str = SCHEMA) -> dict[str, Any]:
    """Read a checkpoint without running any code from it."""
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"There is no checkpoint '{path}'.") from None
    except Exception as error:
        raise TrainingError(f"'{path}' is not a readable checkpoint ({error}).") from None
    if not isinstance(data, dict) or data.get("schema") != schema:
        raise TrainingError(f"'{path}' is not a checkpoint of this trainer ({schema}).")
    return data


def restore(path: Path, recipe: Recipe) -> State:
    """Continue from `path`; the recipe may differ from the saved one in its budget only."""
    data = read_checkpoint(path)
    saved = msgspec.convert(data["recipe"], Recipe)
    for key in ("generator", "batch", "seed", "mixture", "optimiser", "loss"):
        if getattr(saved, key) != getattr(recipe, key):
            raise RecipeError(f"'{path}' was trained with another '{key}'; use another --out.")
    state = new_state(recipe)
    state.model.load_state_dict(data["model"])
    state.ema.load_state_dict(data["ema"])
    state.optimiser.load_state_dict(data["optimiser"])
    state.clock = Clock(data["step"], data["seconds"])
    state.best, state.history = data["best"], data["history"]
    torch.set_rng_state(data["torch_rng"])
    return state


def load_generator(path: Path) -> tuple[nn.Module, Recipe, dict[str, Any]]:
    """The averaged generator of a checkpoint, ready to run, its recipe and the raw checkpoint."""
    data = read_checkpoint(path)
    recipe = msgspec.convert(data["recipe"], Recipe)
    model = build_generator(recipe.generator.name, recipe.generator.options)
    model.load_state_dict(data["ema"])
    return model.eval().requires_grad_(False), recipe, data
