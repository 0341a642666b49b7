"""Exports a checkpoint to one ONNX file, for any number of frames of any size, with its manifest; parity is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.contracts.manifest import Manifest
from trt_build.networks.track import SCALE, OneTrack, TrackNetwork
from trt_build.systems.track.state import load_track_network
from trt_build.training.onnx_file import export_described, round_to_half, store_in_half, write_onnx_of

OUTPUTS = ["picture", "deviation"]
TOLERANCE = 5e-4
"""Largest accepted difference from torch, for values in [0, 1]: an eighth of one 8-bit level; noise is the worst case."""
_SHAPES = ((1, 16, 16), (2, 12, 12), (8, 24, 20), (3, 1, 1), (5, 7, 33), (8, 32, 32))
"""Shapes that are checked: frames, height, width."""


def export_track(
    checkpoint: Path,
    folder: Path,
    name: str | None,
    licence: str,
    training_data: str,
) -> Manifest:
    """Write NAME.onnx, with weights in float16, and NAME.json into ``folder``.

    Args:
        checkpoint: of ``train_track``.
        folder: created if missing.
        name: of the model; None: the recipe's.
        licence: of the weights.
        training_data: a sentence for the manifest.

    Raises:
        TrainingError: the checkpoint cannot be read.
        ExportError: the folder cannot be written to, or the file does not compute what the network computes.
    """
    network, recipe, data = load_track_network(checkpoint)
    return export_described(
        folder / f"{name or recipe.name}.onnx",
        lambda path: export_network(network, path),
        OneTrack(network),
        _noise(),
        TOLERANCE,
        kind="track",
        licence=licence,
        training_data=training_data,
        scale=SCALE,
        largest_side_px=float(max(recipe.data.sizes_px)),
        description=(
            "One picture, and how far frames disagree, of the registered frames of one face; averaged weights after "
            f"{data['step']} steps."
        ),
        parameters=sum(one.numel() for one in network.parameters()),
    )


def export_network(network: TrackNetwork, path: Path) -> None:
    """Write a network as one self-contained ONNX file; its weights are rounded to float16 in place."""
    round_to_half(network)
    frames, height, width = (torch.export.Dim(text, min=1) for text in ("frames", "height", "width"))
    luma, affine, weight = (torch.from_numpy(one) for one in next(_noise(((2, 24, 20),))))
    inputs: dict[str, tuple[torch.Tensor, dict[int, Any]]] = {
        "luma": (luma, {0: frames, 2: height, 3: width}),
        "affine": (affine, {0: frames}),
        "weight": (weight, {0: frames}),
    }
    write_onnx_of(OneTrack(network), inputs, path, OUTPUTS)
    store_in_half(path)


def _noise(shapes: tuple[tuple[int, int, int], ...] = _SHAPES) -> Iterator[tuple[NDArray[np.float32], ...]]:
    """Yield frames of noise with maps that rotate and shift them, some out of view, and weights of which one is 0."""
    rng = np.random.default_rng(0)
    for frames, height, width in shapes:
        affine = np.tile(np.eye(2, 3), (frames, 1, 1)) + rng.normal(size=(frames, 2, 3)) * (0.05, 0.05, 3.0)
        affine[0] = np.eye(2, 3)
        weight = rng.uniform(0.1, 1, frames)
        weight[-1] *= frames < 3
        yield rng.random((frames, 1, height, width), np.float32), affine.astype(np.float32), weight.astype(np.float32)
