"""Checks that the exported file computes the same as the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from engine.contracts.manifest import Parity
from trt_build.networks.generators.catalog import pictures_of
from trt_build.training.onnx_file import parity_of

SHAPES: tuple[tuple[int, int, int, int], ...] = (
    (1, 1, 32, 32),
    (1, 1, 1, 1),
    (1, 1, 17, 33),
    (3, 1, 24, 20),
    (5, 1, 7, 41),
    (1, 1, 96, 64),
)
"""Checked input shapes, NCHW: the usual one, the smallest, odd ones, batches."""


def check_parity(model: nn.Module, path: Path, shapes: tuple[tuple[int, int, int, int], ...] = SHAPES) -> Parity:
    """Largest absolute difference between `model` and the ONNX file, over all outputs, on seeded noise in [0, 1]."""
    rng = np.random.default_rng(0)
    noise = (rng.random(shape, dtype=np.float32) for shape in shapes)
    return parity_of(lambda luma: pictures_of(model, luma), path, noise)
