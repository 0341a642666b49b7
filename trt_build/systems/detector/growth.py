"""Initialises a larger network so that it computes the same as a smaller, exported one: new channels at random, new blocks as
identity.

Only at stride 4 may it be narrower, see ``narrowing``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from trt_build.errors import DataError
from trt_build.networks.grey_detector import SPREAD, GreyDetector
from trt_build.systems.detector.narrowing import narrowed
from trt_build.training.unfolding import Folded, calibrate, folded_weights, open_exported

_SMALL = 0.1
"""Scale, relative to ordinary weights, of the weights from new channels to old ones."""
_FIRST, _EARLY = "stem.0.0", "stem.1.0"


def grow_from(network: GreyDetector, exported: Path, pictures: Tensor) -> None:
    """Fill a network with the weights of an exported one, in place.

    An exported network has no normalisation: that of the new one is set so that it changes nothing on ``pictures``.

    Args:
        network: not smaller except at stride 4.
        exported: the ONNX file of ``export_detector``.
        pictures: (N, 1, H, W), 0 to 255; enough for representative statistics of a batch.

    Raises:
        DataError: the file cannot be read, or holds another or a larger network.
    """
    known = weights_of(exported)
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
    calibrate(network, biases, pictures)


def weights_of(exported: Path) -> Folded:
    """Return the weights of an exported detector, as a network has them.

    Raises:
        DataError: the file cannot be read, or was never trained.
    """
    model = open_exported(exported)
    weights = folded_weights(model, exported)
    if _FIRST in weights and all(node.op_type != "Div" for node in model.graph.node):
        weight, bias = weights[_FIRST]
        weights[_FIRST] = weight * SPREAD, bias  # the export moved the division into the weights
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


def _is_deeper(name: str, known: Folded) -> int:
    """Return how many channels a new block must pass on: as many as the start has there."""
    stage = name.rsplit(".", 3)[0]
    widths = [len(bias) for other, (_, bias) in known.items() if other.startswith(f"{stage}.")]
    return widths[-1] if widths else 0


def _identity(layer: nn.Conv2d, channels: int) -> Tensor:
    """Make the layer pass on its first channels; they are not negative, so the ReLU after it changes nothing."""
    kernel = layer.kernel_size[0]
    layer.weight[:channels] *= 0.0 if layer.groups > 1 else _SMALL
    if layer.groups == 1:
        layer.weight[:channels, :channels] = 0
    at = torch.arange(channels)
    layer.weight[at, at * (layer.groups == 1), kernel // 2, kernel // 2] = 1
    return torch.zeros(layer.out_channels)
