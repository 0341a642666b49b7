"""Does the exported file compute what the network computes?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from engine.contracts.manifest import Parity
from trt_build.networks.generators.catalog import pictures_of

SHAPES: tuple[tuple[int, int, int, int], ...] = (
    (1, 1, 32, 32),
    (1, 1, 1, 1),
    (1, 1, 17, 33),
    (3, 1, 24, 20),
    (5, 1, 7, 41),
    (1, 1, 96, 64),
)
"""Checked input shapes, NCHW: the usual one, the smallest, odd ones, batches."""


def check_parity(
    model: nn.Module,
    path: Path,
    shapes: tuple[tuple[int, int, int, int], ...] = SHAPES,
    seed: int = 0,
) -> Parity:
    """Largest absolute difference between `model` and the ONNX file, over all outputs, on seeded noise in [0, 1]."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    rng = np.random.default_rng(seed)
    worst = 0.0
    for shape in shapes:
        luma = rng.random(shape, dtype=np.float32)
        with torch.inference_mode():
            pictures = pictures_of(model, torch.from_numpy(luma))
        for expected, found in zip(pictures, session.run(None, {name: luma}), strict=True):
            difference = float(np.max(np.abs(expected.numpy() - found)))
            worst = max(worst, difference) if np.isfinite(difference) else float("inf")
    return Parity(worst, list(shapes), f"onnxruntime {onnxruntime.__version__}")
