"""Initialises a network from an exported one, although the export folded the normalisation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from trt_build.errors import DataError

_PREFIX = "network."
_HALF = "_half"
Folded = dict[str, tuple[Tensor, Tensor]]
"""Weight and bias of each layer, by its name in the network."""


def open_exported(exported: Path) -> onnx.ModelProto:
    """Load an exported network.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return onnx.load(exported)
    except Exception as error:  # onnx passes on any exception of its parser
        raise DataError(f"'{exported}' cannot be read: {error}") from None


def folded_weights(model: onnx.ModelProto, exported: Path) -> Folded:
    """Return the weights of an exported network, as float32.

    Raises:
        DataError: it was never trained.
    """
    found = {
        one.name.removesuffix(_HALF): torch.from_numpy(numpy_helper.to_array(one).copy()).float()
        for one in model.graph.initializer
    }
    names = [name.removesuffix(".weight") for name in found if name.startswith(_PREFIX) and name.endswith(".weight")]
    if any(f"{name}.bias" not in found for name in names):  # equal arrays are written only once, as before training
        raise DataError(f"'{exported}' holds no trained network.")
    return {name.removeprefix(_PREFIX): (found[f"{name}.weight"], found[f"{name}.bias"]) for name in names}


def matched(network: nn.Module, known: Folded, exported: Path) -> dict[str, tuple[nn.Conv2d | nn.Linear, Tensor, Tensor]]:
    """Return each layer of a network by name, with the weight and bias of the exported one.

    Raises:
        DataError: the exported one is another network.
    """
    layers = {name: one for name, one in network.named_modules() if isinstance(one, (nn.Conv2d, nn.Linear))}
    if known.keys() != layers.keys() or any(known[name][0].shape != one.weight.shape for name, one in layers.items()):
        raise DataError(f"'{exported}' is not a network of the recipe's kind and widths.")
    return {name: (layer, *known[name]) for name, layer in layers.items()}


def calibrate(network: nn.Module, biases: dict[str, Tensor], shown: Tensor) -> None:
    """Set each normalisation so that it returns its input plus the bias of its convolution.

    Args:
        network: with the convolutions' weights.
        biases: of each convolution, by name.
        shown: enough input for representative statistics of a batch.
    """
    handles = []
    for name, block in network.named_modules():
        if isinstance(block, nn.Sequential) and len(block) > 1 and isinstance(block[1], nn.BatchNorm2d):
            handles.append(block[1].register_forward_pre_hook(_undo(biases[f"{name}.0"])))
    with torch.no_grad():
        network.train()(shown)
    for handle in handles:
        handle.remove()


def _undo(bias: Tensor) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    def hook(normalisation: nn.Module, inputs: tuple[Any, ...]) -> None:
        assert isinstance(normalisation, nn.BatchNorm2d)
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        # The scale of a channel that hardly varies would vanish, and could not be trained any more.
        spread = (variance + normalisation.eps).sqrt().clamp(min=1e-2)
        normalisation.weight.copy_(spread)
        normalisation.bias.copy_(mean + bias.to(mean))
        normalisation.running_mean.copy_(mean)  # type: ignore[union-attr]
        normalisation.running_var.copy_(variance)  # type: ignore[union-attr]

    return hook
