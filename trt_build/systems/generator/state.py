"""Creates and restores the state of a generator's run, and loads networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from engine.contracts.manifest import read_manifest
from engine.models.catalog import find_model
from trt_build.errors import RecipeError
from trt_build.networks.generators.catalog import build_generator
from trt_build.networks.generators.exported import exported_weights
from trt_build.networks.generators.weights import SUFFIX, read_network
from trt_build.recipes.generator import Recipe
from trt_build.training.adversarial import build_discriminator
from trt_build.training.checkpoint import check_unchanged, fill, load_averaged, read_checkpoint, recipe_of
from trt_build.training.run_state import RunState

SCHEMA = "facestream-checkpoint/2"
KEPT = ("generator", "data", "batch", "seed", "mixture", "h264", "learned", "zero_shot", "optimiser", "loss", "merit")
"""Settings that a resumed run must not change. The budget and later mixtures (`late`) may change."""
State = RunState[Recipe, nn.Module]


def new_state(recipe: Recipe) -> State:
    """Seed torch, and build the model, its average, the optimiser and, if any, the discriminator."""
    torch.manual_seed(recipe.seed)
    model = network_of(recipe)
    for part, name in recipe.start.items():
        load_trained(_part(model, part), name)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 2.5 times as fast on a CPU
    adversarial = recipe.loss.adversarial
    return RunState.begin(recipe, model, (build_discriminator(adversarial), adversarial.rate) if adversarial else None)


def network_of(recipe: Recipe) -> nn.Module:
    """Return the untrained network of a recipe."""
    return build_generator(recipe.generator.name, recipe.generator.options)


def _part(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        raise RecipeError(f"start: the generator has no part '{name}'.") from None


def load_trained(model: nn.Module, name: str) -> None:
    """Give a network the weights of a trained one.

    Args:
        model: of the same kind and options.
        name: of an exported generator, or the path of its manifest, of its weights (``.safetensors``), or of a checkpoint
            (``.pt``). The latter two always fit; ONNX files only if no batch normalisation was folded.

    Raises:
        RecipeError: there is no such model, or it is another network.
        TrainingError: the checkpoint or the weights cannot be read.
    """
    path = Path(name)
    if path.suffix in (".pt", SUFFIX) and not path.is_file():
        raise RecipeError(f"start: there is no '{name}': make it first, as the head of the recipe says, or give another.")
    if path.suffix == ".pt":
        fill(model, read_checkpoint(path, SCHEMA)["ema"], f"'{path}'")
    elif path.suffix == SUFFIX:
        fill(model, read_network(path).state_dict(), f"'{path}'")
    else:
        load_exported(model, name)


def load_exported(model: nn.Module, name: str) -> None:
    """Give a network the weights of an exported one, see ``exported_weights``.

    Raises:
        RecipeError: there is no such model, or it is another network.
    """
    manifest_path = find_model(name)
    if manifest_path is None or manifest_path.suffix != ".json":
        raise RecipeError(f"There is no generator '{name}' to start from: give its name or the path of its manifest.")
    file = manifest_path.with_name(read_manifest(manifest_path).file)
    fill(model, exported_weights(file, model), f"'{file}'")


def check_scale(recipe: Recipe) -> None:
    """Refuse a generator whose scale differs from the data's.

    Raises:
        RecipeError: it differs, or there is no such generator.
    """
    model = network_of(recipe).eval()
    with torch.inference_mode():
        scale = model(torch.zeros(1, 1, 1, 1)).shape[2]
    if scale != recipe.data.scale:
        raise RecipeError(
            f"The generator '{recipe.generator.name}' gives x{scale}, and data.scale is {recipe.data.scale}: they must agree."
        )


def mixed_with_start(model: nn.Module, recipe: Recipe, share: float) -> None:
    """Interpolate between a network and the one from which its training started: ``share`` of each weight is the latter's.

    What it learned last is kept in part, and what it forgot comes back (network interpolation of ESRGAN, Wang et al. 2018; as
    an average that is better than both ends: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).

    Raises:
        RecipeError: the share is not within 0 and 1, or the recipe began with random weights.
    """
    if not 0 <= share <= 1:
        raise RecipeError(f"The share of the start must lie within 0 and 1, not {share}.")
    if "" not in recipe.start:
        raise RecipeError(f"The recipe '{recipe.name}' did not begin with a trained network: there is nothing to mix with.")
    began = network_of(recipe)
    load_trained(began, recipe.start[""])
    with torch.no_grad():
        for mine, theirs in zip(model.state_dict().values(), began.state_dict().values(), strict=True):
            if mine.is_floating_point():  # but not the counters of batch normalisation
                mine.lerp_(theirs, share)


def restored(data: dict[str, Any], recipe: Recipe) -> State:
    """Continue from a checkpoint; the recipe may differ from the saved one in settings that are not in `KEPT`, such as the
    budget.

    Raises:
        RecipeError: it differs otherwise, or the checkpoint holds another network than its recipe says.
        TrainingError: the checkpoint's recipe is not one of this version.
    """
    check_unchanged(recipe_of(data, Recipe, "The run's checkpoint"), recipe, KEPT)
    state = new_state(msgspec.structs.replace(recipe, start={}))
    state.recipe = recipe
    fill(state.model, data["model"], "The run's checkpoint")
    state.restore(data)
    return state


def load_generator(path: Path) -> tuple[nn.Module, Recipe, dict[str, Any]]:
    """Return the averaged generator of a checkpoint, ready to run, its recipe and the raw checkpoint.

    Raises:
        RecipeError: the checkpoint holds another network than its recipe says.
        TrainingError: it cannot be read, or its recipe is not one of this version.
    """
    return load_averaged(path, SCHEMA, Recipe, network_of)
