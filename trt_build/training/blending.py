"""Averages a trained network with an earlier export: the mean often keeps the strengths of both.

The weights are averaged, so it costs nothing at inference (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
2022).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from trt_build.training.onnx_file import fold
from trt_build.training.unfolding import Folded, matched


def blend(network: nn.Module, known: Folded, exported: Path, share: float) -> None:
    """Fold the normalisation of ``network`` and mix in ``share``, 0 to 1, of each weight of an exported one, in place.

    Args:
        network: trained.
        known: the weights of the exported one.
        exported: its file, for the error.
        share: 0 to 1.

    Raises:
        DataError: the exported one is another network.
    """
    fold(network.eval())
    with torch.no_grad():
        for layer, weight, bias in matched(network, known, exported).values():
            layer.weight.lerp_(weight, share)
            assert layer.bias is not None
            layer.bias.lerp_(bias, share)
