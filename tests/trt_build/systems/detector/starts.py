"""Small detectors that others begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trt_build.networks.grey_detector import GreyDetector
from trt_build.systems.detector.export import export_network


def exported_start(
    options: dict[str, Any], path: Path, pictures: int, change: Callable[[GreyDetector], None] = lambda network: None
) -> tuple[Path, torch.Tensor, torch.Tensor]:
    """Export a network with normalisation that has seen something.

    Args:
        options: of the network.
        path: of the ONNX file.
        pictures: that its normalisation has seen.
        change: made to it afterwards.

    Returns:
        The path, the pictures, and what it computes of them.
    """
    torch.manual_seed(3)
    network = GreyDetector(**options)
    seen = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (pictures, 1, 64, 96)).astype(np.float32))
    network.train()(seen)
    network.eval()
    with torch.no_grad():
        change(network)
        for output in network.outputs:  # equal arrays would be written once
            torch.nn.init.normal_(output.bias)
        expected = network(seen)
    export_network(network, path)
    return path, seen, expected
