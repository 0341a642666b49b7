"""Creates and restores the state of a run of the multi-frame network, and loads networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trt_build.networks.generators.compact import Compact, CompactOptions
from trt_build.networks.track import TrackNetwork
from trt_build.recipes.track import TrackRecipe
from trt_build.systems.generator.state import load_exported
from trt_build.training.checkpoint import check_unchanged, fill, load_averaged, recipe_of
from trt_build.training.run_state import RATE_SHARE, RunState

SCHEMA = "facestream-track/1"
KEPT = ("data", "clips", "network", "seed")
"""Settings that a resumed run must not change."""
State = RunState[TrackRecipe, TrackNetwork]


def network_of(recipe: TrackRecipe) -> TrackNetwork:
    """Return the untrained network of a recipe."""
    return TrackNetwork(CompactOptions(), recipe.network.width, recipe.network.blocks)


def single_frame_network(recipe: TrackRecipe) -> Compact:
    """Return the single-frame network from which training starts, and with which the result is compared.

    Raises:
        RecipeError: there is no such generator, or it is another network.
    """
    single = Compact(CompactOptions())
    load_exported(single, recipe.network.start)
    return single.eval().requires_grad_(False)


def new_state(recipe: TrackRecipe) -> State:
    """Seed torch, and start with the single-frame network."""
    torch.manual_seed(recipe.seed)
    network = network_of(recipe)
    network.encoder.load_state_dict(single_frame_network(recipe).state_dict())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return RunState.begin(recipe, network, slower=(network.encoder, recipe.encoder_rate))


def restored(data: dict[str, Any], recipe: TrackRecipe) -> State:
    """Continue from a checkpoint; the recipe may differ from the saved one in settings that are not in `KEPT`.

    Raises:
        RecipeError: it differs otherwise, or the checkpoint holds another network than its recipe says.
        TrainingError: the checkpoint's recipe is not one of this version.
    """
    check_unchanged(recipe_of(data, TrackRecipe, "The run's checkpoint"), recipe, KEPT)
    state = new_state(recipe)
    fill(state.model, data["model"], "The run's checkpoint")
    state.restore(data)
    state.optimiser.param_groups[1][RATE_SHARE] = recipe.encoder_rate
    return state


def load_track_network(path: Path) -> tuple[TrackNetwork, TrackRecipe, dict[str, Any]]:
    """Return the averaged network of a checkpoint, ready to run, its recipe and the raw checkpoint.

    Raises:
        RecipeError: the checkpoint holds another network than its recipe says.
        TrainingError: it cannot be read, or its recipe is not one of this version.
    """
    return load_averaged(path, SCHEMA, TrackRecipe, network_of)
