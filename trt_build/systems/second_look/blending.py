"""What was trained on, averaged with what it began as: where the one has gained and the other lost, the mean often keeps both.

The weights are averaged, so it costs nothing to run: Wortsman and others, Robust fine-tuning of zero-shot models, CVPR 2022.
"""

from __future__ import annotations

from pathlib import Path

import torch

from trt_build.networks.second_look import SecondLook
from trt_build.systems.second_look.training import exported_onto
from trt_build.training.onnx_file import fold


def blend(network: SecondLook, exported: Path, share: float) -> None:
    """Fold the normalisation of ``network`` away, and take ``share``, 0 to 1, of each weight from an exported one, in place.

    Raises:
        DataError: the exported one cannot be read, or is another network.
    """
    fold(network.eval())
    with torch.no_grad():
        for layer, weight, bias in exported_onto(network, exported).values():
            layer.weight.lerp_(weight, share)
            assert layer.bias is not None
            layer.bias.lerp_(bias, share)
