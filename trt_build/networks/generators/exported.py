"""The weights of an exported generator: its ONNX file holds all of them, most under their names in torch."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn


def exported_weights(file: Path, model: nn.Module) -> dict[str, Tensor]:
    """Return what an ONNX file of `export_module` holds of the weights of ``model``, a network of the same kind and options.

    Weights that are stored as float16 come as float32. The exporter renames two kinds. Equal arrays are written once, so that
    a bias may stand under the name of another: it is found by the convolution that reads it. Slopes of PReLU are constants
    without a name: they come in the order of the layers.

    Returns:
        The weights by their names in torch; without those of a batch normalisation, which is folded into its convolution. What
        a larger network has besides is among them, so that ``fill`` refuses it.
    """
    graph = onnx.load(str(file)).graph
    arrays = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in arrays:  # `store_in_half`
            arrays[node.output[0]] = arrays.pop(node.input[0]).float()
    for node in graph.node:
        if node.op_type == "Conv" and len(node.input) == 3 and node.input[2] in arrays:
            arrays.setdefault(node.input[1].removesuffix("weight") + "bias", arrays[node.input[2]])
    slopes = [arrays[node.input[1]].flatten() for node in graph.node if node.op_type == "PRelu"]
    layers = [name for name, layer in model.named_modules() if isinstance(layer, nn.PReLU)]
    arrays |= {f"{name}.weight": slope for name, slope in zip(layers, slopes, strict=False)}
    wanted = model.state_dict().keys()  # the file has other constants beside them
    return {name: array for name, array in arrays.items() if name in wanted or name.endswith((".weight", ".bias"))}
