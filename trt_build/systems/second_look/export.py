"""From a checkpoint to one ONNX file and its manifest: any number of faces, normalisation folded, parity checked."""

from __future__ import annotations

import logging
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from engine.contracts.manifest import Manifest, Parity, sha256_of, write_manifest
from engine.detect.face_windows import CONTEXTS, SIDE_PX
from trt_build.errors import ExportError
from trt_build.networks.second_look import Exported, SecondLook, count_parameters
from trt_build.systems.detector.export import fold
from trt_build.systems.generator.export import OPSET, versions, without_notes
from trt_build.systems.second_look.training import load_second_look
from trt_build.writing import writable

INPUT, OUTPUT = "windows", "faceness"
TOLERANCE = 1e-4
"""Largest accepted difference of a faceness, 0 to 1."""
_COUNTS = (1, 2, 7, 33)


def export_second_look(
    checkpoint: Path,
    folder: Path,
    name: str | None,
    licence: str,
    training_data: str,
    figures: dict[str, float],
    detector_sha256: str = "",
) -> Manifest:
    """Write NAME.onnx and NAME.json into ``folder``.

    Args:
        checkpoint: of ``train_second_look``.
        folder: is created.
        name: the recipe's where None.
        licence: of the weights.
        training_data: a sentence for the manifest.
        figures: its limits and what was measured.
        detector_sha256: of the detector that it agrees with by these figures; empty: with none.

    Raises:
        TrainingError: the checkpoint cannot be read.
        ExportError: the folder cannot be written to, or the file does not compute what the network computes.
    """
    network, recipe = load_second_look(checkpoint)
    name = name or recipe.name
    path = folder / f"{name}.onnx"
    parameters = count_parameters(network)
    with writable(path, ExportError):
        export_network(network, path)
    parity = _parity(Exported(network), path)
    if not parity.max_abs_error <= TOLERANCE:
        raise ExportError(f"'{path}' differs from its network by {parity.max_abs_error:.2e}, more than {TOLERANCE:.0e}.")
    manifest = Manifest(
        name=name,
        kind="second_look",
        file=path.name,
        sha256=sha256_of(path),
        licence=licence,
        training_data=training_data,
        channels=len(CONTEXTS),
        dtype="uint8",
        value_range=(0.0, 255.0),
        input_size_px=(SIDE_PX, SIDE_PX),
        batch=(1, 8, 64),
        description="Whether what a detector found is a face, by its luma near and with its surroundings",
        parameters=parameters,
        figures={key: round(value, 4) for key, value in figures.items() if math.isfinite(value)},
        parity=parity,
        versions=versions() | ({"detector_sha256": detector_sha256} if detector_sha256 else {}),
    )
    with writable(path, ExportError):
        write_manifest(manifest, folder / f"{name}.json")
    return manifest


def export_network(network: SecondLook, path: Path) -> None:
    """Write a network as one self-contained ONNX file; its batch normalisation is folded into the convolutions."""
    fold(network.eval())
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Exported(network).eval(),
            (torch.zeros(2, len(CONTEXTS), SIDE_PX, SIDE_PX, dtype=torch.uint8),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("faces", min=1)},),
            verbose=False,
        )
    assert program is not None
    onnx.save(without_notes(program.model_proto), str(path))
    onnx.checker.check_model(str(path), full_check=True)


def _parity(network: nn.Module, path: Path) -> Parity:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    shapes = [(count, len(CONTEXTS), SIDE_PX, SIDE_PX) for count in _COUNTS]
    for shape in shapes:
        windows = rng.integers(0, 256, shape, dtype=np.uint8)
        with torch.inference_mode():
            expected = network(torch.from_numpy(windows)).numpy()
        difference = float(np.abs(session.run([OUTPUT], {INPUT: windows})[0] - expected).max())
        worst = max(worst, difference) if np.isfinite(difference) else float("inf")
    return Parity(worst, shapes, f"onnxruntime {onnxruntime.__version__}")
