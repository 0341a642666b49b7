"""Checkpoint files: written atomically, and read without executing code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from engine.whole_file import replacing
from trt_build.errors import RecipeError, TrainingError
from trt_build.recipes.files import AnyRecipe

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def write_checkpoint(data: dict[str, Any], path: Path) -> None:
    """Write to a temporary file and move it into place, so that a crash or a full disk leaves the old one.

    Raises:
        TrainingError: it cannot be written, for instance because the disk is full.
    """
    try:
        with replacing(path, public=True) as beside:
            torch.save(data, beside)
    except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
        kept = " (the one before is kept)" if path.exists() else ""
        raise TrainingError(
            f"The checkpoint '{path}' cannot be written{kept}: {error}. Free some space, then --resume."
        ) from None


def read_checkpoint(path: Path, schema: str) -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        TrainingError: it does not exist, cannot be read, or was written by another trainer.
    """
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"There is no checkpoint '{path}': check the path, or train it first.") from None
    except Exception as error:
        raise TrainingError(f"'{path}' is not a readable checkpoint ({error}).") from None
    if not isinstance(data, dict) or data.get("schema") != schema:
        raise TrainingError(f"'{path}' is not a checkpoint of this trainer ({schema}).")
    return data


def recipe_of(data: dict[str, Any], kind: type[AnyRecipe], source: str) -> AnyRecipe:
    """Return the recipe of a checkpoint; ``source``: its name in messages.

    Raises:
        TrainingError: this version cannot read the recipe.
    """
    try:
        return msgspec.convert(data["recipe"], kind)
    except (KeyError, msgspec.ValidationError) as error:
        raise TrainingError(f"{source} holds a recipe that this version cannot read ({error}).") from None


def check_unchanged(saved: msgspec.Struct, recipe: msgspec.Struct, keys: Iterable[str]) -> None:
    """Refuse to continue a run with another recipe.

    Raises:
        RecipeError: they differ in one of the keys.
    """
    for key in keys:
        if getattr(saved, key) != getattr(recipe, key):
            raise RecipeError(f"The run was begun with another '{key}'; use another --out.")


def fill(model: nn.Module, stored: Mapping[str, Tensor], source: str) -> None:
    """Give a network its weights.

    Raises:
        RecipeError: ``source`` holds those of another network.
    """
    wanted = model.state_dict()
    differing = [key for key, value in wanted.items() if key not in stored or stored[key].shape != value.shape]
    if differing := differing or sorted(stored.keys() - wanted.keys()):
        raise RecipeError(f"{source} holds another network than the recipe's: they differ in {differing[0]}.")
    model.load_state_dict(stored)


def load_averaged(
    path: Path, schema: str, kind: type[AnyRecipe], build: Callable[[AnyRecipe], AnyNetwork]
) -> tuple[AnyNetwork, AnyRecipe, dict[str, Any]]:
    """Return the averaged network of a checkpoint, ready to run, its recipe, and the content of the file.

    Args:
        path: of the checkpoint.
        schema: of the trainer that wrote it.
        kind: type of its recipe.
        build: builds the untrained network of a recipe.

    Raises:
        TrainingError: it cannot be read, or its recipe is not one of this version.
        RecipeError: it holds another network than its recipe says.
    """
    data = read_checkpoint(path, schema)
    recipe = recipe_of(data, kind, f"'{path}'")
    network = build(recipe)
    fill(network, data["ema"], f"'{path}'")
    return network.eval().requires_grad_(False), recipe, data


def last_checkpoint(folder: Path, schema: str, *, resume: bool) -> dict[str, Any] | None:
    """Return the checkpoint to resume from; None for a new run.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false.
        TrainingError: there is nothing to resume, or it cannot be read.
    """
    last = folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(f"'{last}' exists: give --resume to continue it, or another --out.")
    if resume and not last.exists():
        raise TrainingError(f"There is nothing to resume in '{folder}', not one checkpoint: leave --resume out.")
    return read_checkpoint(last, schema) if resume else None
