"""Weights of a generator as a safetensors file that says which generator it is.

Its metadata are `generator`, the name of `catalog.py`, and `options`, all of them as JSON: enough to build the network
again without the recipe.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from trt_build.errors import TrainingError
from trt_build.networks.generators.catalog import build_generator

SUFFIX = ".safetensors"


def write_weights(model: nn.Module, generator: str, path: Path) -> None:
    """Write the weights of `model`, which is `generator` of the catalogue, under the names and in the types of torch.

    Raises:
        OSError: the file cannot be written.
    """
    tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
    metadata = {"generator": generator, "options": msgspec.json.encode(model.options).decode()}
    path.write_bytes(save(tensors, metadata))


def read_network(path: Path) -> nn.Module:
    """Build the network of a file that `write_weights` wrote.

    Raises:
        TrainingError: there is no such file, it is damaged, or it does not say which generator it holds.
        RecipeError: it names a generator or options that are not known here.
    """
    try:
        with safe_open(path, framework="pt") as file:
            name, options = _described(file.metadata() or {}, path)
            model = build_generator(name, options)
            model.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118  # no dict
    except FileNotFoundError:
        raise TrainingError(f"There are no weights '{path}'.") from None
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"'{path}' is not a readable safetensors file ({error}).") from None
    except RuntimeError:
        raise TrainingError(f"'{path}' does not hold the weights of the generator that it names: export it again.") from None
    return model


def _described(metadata: dict[str, str], path: Path) -> tuple[str, dict[str, Any]]:
    """Name and options of the generator that a file holds."""
    try:
        return metadata["generator"], msgspec.json.decode(metadata["options"], type=dict[str, Any])
    except (KeyError, msgspec.DecodeError):
        raise TrainingError(f"'{path}' does not say which generator it holds: take one of `trt-build export`.") from None
