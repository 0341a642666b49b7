"""Exports a checkpoint to one ONNX file and its manifest: any number of faces, normalisation folded, parity checked."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from engine.contracts.manifest import Manifest
from engine.detect.face_windows import CONTEXTS, SIDE_PX
from trt_build.networks.second_look import Exported, SecondLook, count_parameters
from trt_build.training.onnx_file import export_described, fold, round_to_half, store_in_half, write_onnx

INPUT, OUTPUTS = "windows", ["faceness", "places"]
TOLERANCE = 1e-4
"""Largest accepted difference of a faceness, 0 to 1, or of a place."""
_COUNTS = (1, 2, 7, 33)


def export_second_look(
    network: SecondLook,
    folder: Path,
    name: str,
    licence: str,
    training_data: str,
    figures: dict[str, float],
    detector_sha256: str = "",
) -> Manifest:
    """Write NAME.onnx and NAME.json into ``folder``.

    Args:
        network: trained; modified.
        folder: created if missing.
        name: of the model.
        licence: of the weights.
        training_data: a sentence for the manifest.
        figures: its limits and measurements.
        detector_sha256: of the detector with which it decides by these figures; empty: none.

    Raises:
        ExportError: the folder cannot be written to, or the file does not compute what the network computes.
    """
    parameters, rng = count_parameters(network), np.random.default_rng(0)
    return export_described(
        folder / f"{name}.onnx",
        lambda path: export_network(network, path),
        Exported(network),
        (rng.integers(0, 256, (count, len(CONTEXTS), SIDE_PX, SIDE_PX), dtype=np.uint8) for count in _COUNTS),
        TOLERANCE,
        {"detector_sha256": detector_sha256} if detector_sha256 else None,
        kind="second_look",
        licence=licence,
        training_data=training_data,
        channels=len(CONTEXTS),
        dtype="uint8",
        value_range=(0.0, 255.0),
        input_size_px=(SIDE_PX, SIDE_PX),
        batch=(1, 8, 64),
        description="Whether what a detector found is a face, and where it lies, by its luma near and with its surroundings",
        parameters=parameters,
        figures={key: round(value, 4) for key, value in figures.items() if math.isfinite(value)},
    )


def export_network(network: SecondLook, path: Path) -> None:
    """Write a network as one self-contained ONNX file with weights in float16; its batch normalisation is folded into the
    convolutions, in place."""
    fold(network.eval())
    round_to_half(network)
    example = torch.zeros(2, len(CONTEXTS), SIDE_PX, SIDE_PX, dtype=torch.uint8)
    write_onnx(Exported(network), example, path, (INPUT, OUTPUTS), {0: torch.export.Dim("faces", min=1)})
    store_in_half(path)
