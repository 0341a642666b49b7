"""What was trained on, averaged with what it began as: where the one has gained and the other lost, the mean often keeps both.

The weights are averaged, so it costs nothing to run: Wortsman and others, Robust fine-tuning of zero-shot models, CVPR 2022.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from trt_build.errors import DataError
from trt_build.networks.second_look import SecondLook
from trt_build.training.onnx_file import fold
from trt_build.training.unfolding import folded_weights, open_start


def blend(network: SecondLook, exported: Path, share: float) -> None:
    """Fold the normalisation of ``network`` away, and take ``share``, 0 to 1, of each weight from an exported one, in place.

    Raises:
        DataError: the exported one cannot be read, or is another network.
    """
    fold(network.eval())
    known = folded_weights(open_start(exported), exported)
    layers = {name: one for name, one in network.named_modules() if isinstance(one, (nn.Conv2d, nn.Linear))}
    if known.keys() != layers.keys() or any(known[name][0].shape != one.weight.shape for name, one in layers.items()):
        raise DataError(f"'{exported}' is no second look of the checkpoint's widths, so the two cannot be averaged.")
    with torch.no_grad():
        for name, layer in layers.items():
            weight, bias = known[name]
            layer.weight.lerp_(weight, share)
            assert layer.bias is not None
            layer.bias.lerp_(bias, share)
