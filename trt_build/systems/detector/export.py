"""Exports a network to one ONNX file and its manifest: dynamic batch and size, batch normalisation folded, parity checked."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from engine.contracts.manifest import Manifest, SizeRule
from trt_build.networks.grey_detector import Exported, GreyDetector, count_parameters, output_names
from trt_build.training.onnx_file import export_described, fold, save_checked, write_onnx
from trt_build.training.run_state import Row

INPUT = "luma"
TOLERANCE = 2e-3
"""Largest accepted difference from torch: scores are at most 1, and boxes and points in strides, 16 of them at most."""
_FIGURES = ("recall", "precision", "recall_10_px", "recall_16_px", "recall_24_px", "recall_48_px", "points")
"""Figures of the run's own validation that go into the manifest."""
_SHAPES = ((1, 1, 64, 96), (1, 1, 384, 640), (3, 1, 32, 32), (2, 1, 160, 224))


def export_detector(
    network: GreyDetector,
    folder: Path,
    name: str,
    licence: str,
    training_data: str,
    min_score: float,
    sure_score: float,
    validated: Row,
) -> Manifest:
    """Write NAME.onnx and NAME.json into ``folder``.

    Args:
        network: trained; modified.
        folder: created if missing.
        name: of the model.
        licence: of the weights.
        training_data: a sentence for the manifest.
        min_score: the default threshold.
        sure_score: least score of a face that can start a track.
        validated: figures of its own validation; empty: none.

    Raises:
        ExportError: the folder cannot be written to, or the file does not compute what the network computes.
    """
    parameters, rng = count_parameters(network), np.random.default_rng(0)
    return export_described(
        folder / f"{name}.onnx",
        lambda path: export_network(network, path),
        Exported(network),
        (rng.integers(0, 256, shape, dtype=np.uint8) for shape in _SHAPES),
        TOLERANCE,
        kind="detector",
        licence=licence,
        training_data=training_data,
        dtype="uint8",
        value_range=(0.0, 255.0),
        size_rule=SizeRule(minimum=32, multiple_of=32),
        batch=(1, 8, 32),
        description="Faces with five landmarks in the luma plane, full or video range",
        parameters=parameters,
        figures={"min_score": round(min_score, 3), "sure_score": round(sure_score, 3)} | _shown(validated),
    )


def _shown(validated: Row) -> dict[str, float]:
    known = {key: value for key, value in validated.items() if key in _FIGURES and math.isfinite(value)}
    return {f"validation_{key}": round(value, 4) for key, value in known.items()}


def export_network(network: GreyDetector, path: Path) -> None:
    """Write a network as one self-contained ONNX file; its batch normalisation is folded into the convolutions."""
    fold(network.eval())
    rows, columns = torch.export.Dim("rows", min=1, max=256), torch.export.Dim("columns", min=1, max=256)
    shapes = {0: torch.export.Dim("batch", min=1), 2: 32 * rows, 3: 32 * columns}
    write_onnx(Exported(network), torch.zeros(2, 1, 96, 160, dtype=torch.uint8), path, (INPUT, output_names()), shapes)
    fold_division(path)


def fold_division(path: Path) -> None:
    """Move the division of the input into the weights of the first convolution: exact, because the divisor is a
    power of two.
    """
    model = onnx.load(str(path))
    (division,) = (node for node in model.graph.node if node.op_type == "Div")
    (convolution,) = (node for node in model.graph.node if division.output[0] in node.input)
    constants = {one.name: one for one in model.graph.initializer}
    weight = constants[convolution.input[1]]
    divided = numpy_helper.to_array(weight) / numpy_helper.to_array(constants[division.input[1]])
    weight.CopyFrom(numpy_helper.from_array(divided, weight.name))
    convolution.input[0] = division.input[0]
    model.graph.node.remove(division)
    model.graph.initializer.remove(constants[division.input[1]])
    save_checked(model, path)
