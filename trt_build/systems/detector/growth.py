"""A larger network that begins as what a smaller, exported one computes: wider at random, deeper as identity.

Only at stride 4 may it be narrower, see ``narrowing``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from trt_build.errors import DataError
from trt_build.networks.grey_detector import SPREAD, GreyDetector
from trt_build.systems.detector.narrowing import narrowed

_SMALL = 0.1
"""How much of an ordinary weight leads from what is new to what was there."""
_PREFIX = "network."
_FIRST, _EARLY = "stem.0.0", "stem.1.0"


def grow_from(network: GreyDetector, exported: Path, pictures: Tensor) -> None:
    """Fill a network with the weights of an exported one, in place.

    An exported network has no normalisation: that of the new one is set so that it changes nothing on ``pictures``.

    Args:
        network: not smaller anywhere but at stride 4.
        exported: the ONNX file of ``export_detector``.
        pictures: (N, 1, H, W), 0 to 255; enough that the statistics of a batch are like theirs.

    Raises:
        DataError: the file cannot be read, or holds another or a larger network.
    """
    known = _weights(exported)
    modules = dict(network.named_modules())
    if any(name not in modules for name in known):
        raise DataError(f"'{exported}' has layers that the recipe's network has not: {sorted(set(known) - set(modules))[:3]}.")
    if len(known[_EARLY][1]) > (channels := len(modules[_EARLY].weight)):
        known = narrowed(known, channels, pictures)
    biases: dict[str, Tensor] = {}
    with torch.no_grad():
        for name, layer in modules.items():
            if isinstance(layer, nn.Conv2d):
                biases[name] = _filled(layer, *known[name]) if name in known else _identity(layer, _is_deeper(name, known))
        _calibrate(network, biases, pictures)


def _weights(exported: Path) -> dict[str, tuple[Tensor, Tensor]]:
    try:
        model: Any = onnx.load(exported)
    except Exception as error:  # onnx raises whatever its parser does
        raise DataError(f"The start '{exported}' cannot be read: {error}") from None
    found = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in model.graph.initializer}
    names = [name.removesuffix(".weight") for name in found if name.startswith(_PREFIX) and name.endswith(".weight")]
    if any(f"{name}.bias" not in found for name in names):  # equal arrays are written once: so it is before training
        raise DataError(f"The start '{exported}' holds no trained network.")
    weights = {name.removeprefix(_PREFIX): (found[f"{name}.weight"], found[f"{name}.bias"]) for name in names}
    if _FIRST in weights and all(node.op_type != "Div" for node in model.graph.node):
        weight, bias = weights[_FIRST]
        weights[_FIRST] = weight * SPREAD, bias  # the export let the weights divide
    return weights


def _filled(layer: nn.Conv2d, weight: Tensor, bias: Tensor) -> Tensor:
    """Put a smaller weight into the corner of a layer's; return the bias."""
    if any(ours < theirs for ours, theirs in zip(layer.weight.shape, weight.shape, strict=True)):
        raise DataError(
            f"The start has a layer of {list(weight.shape)} where the recipe's network has {list(layer.weight.shape)}."
        )
    rows, columns = weight.shape[:2]
    layer.weight[:rows, columns:] *= _SMALL
    layer.weight[:rows, :columns] = weight
    whole = torch.zeros(layer.out_channels)
    whole[:rows] = bias
    if layer.bias is not None:
        layer.bias[:rows] = bias
    return whole


def _is_deeper(name: str, known: dict[str, tuple[Tensor, Tensor]]) -> int:
    """Return how many channels of a block that the start has not are to be passed on: as many as the start has there."""
    stage = name.rsplit(".", 3)[0]
    widths = [len(bias) for other, (_, bias) in known.items() if other.startswith(f"{stage}.")]
    return widths[-1] if widths else 0


def _identity(layer: nn.Conv2d, channels: int) -> Tensor:
    """Let the first channels through as they are; they are not negative, so the ReLU behind changes nothing."""
    kernel = layer.kernel_size[0]
    layer.weight[:channels] *= 0.0 if layer.groups > 1 else _SMALL
    if layer.groups == 1:
        layer.weight[:channels, :channels] = 0
    at = torch.arange(channels)
    layer.weight[at, at * (layer.groups == 1), kernel // 2, kernel // 2] = 1
    return torch.zeros(layer.out_channels)


def _calibrate(network: GreyDetector, biases: dict[str, Tensor], pictures: Tensor) -> None:
    """Let each normalisation give what comes in, plus the bias that its convolution had."""
    handles = []
    for name, block in network.named_modules():
        if isinstance(block, nn.Sequential) and len(block) == 3 and isinstance(block[1], nn.BatchNorm2d):
            handles.append(block[1].register_forward_pre_hook(_undo(biases[f"{name}.0"])))
    network.train()(pictures)
    for handle in handles:
        handle.remove()


def _undo(bias: Tensor) -> Any:
    def hook(normalisation: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        # A channel that hardly varies would make its scale vanish, and could not be learnt any more.
        spread = (variance + normalisation.eps).sqrt().clamp(min=1e-2)
        normalisation.weight.copy_(spread)
        normalisation.bias.copy_(mean + bias)
        normalisation.running_mean.copy_(mean)  # type: ignore[union-attr]
        normalisation.running_var.copy_(variance)  # type: ignore[union-attr]

    return hook
