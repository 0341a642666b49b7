"""From a checkpoint to one ONNX file and its manifest: dynamic batch and size, batch normalisation folded, parity checked."""

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
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.contracts.manifest import Manifest, Parity, SizeRule, sha256_of, write_manifest
from trt_build.errors import ExportError
from trt_build.networks.grey_detector import Exported, GreyDetector, count_parameters, output_names
from trt_build.systems.detector.training import last_validation, load_detector
from trt_build.systems.generator.export import OPSET, versions, without_notes
from trt_build.writing import writable

INPUT = "luma"
TOLERANCE = 2e-3
"""Largest accepted difference from torch: scores are at most 1, and boxes and points in strides, 16 of them at most."""
_FIGURES = ("recall", "precision", "recall_10_px", "recall_16_px", "recall_24_px", "recall_48_px", "points")
"""Of the run's own validation, for the manifest."""
_SHAPES = ((1, 1, 64, 96), (1, 1, 384, 640), (3, 1, 32, 32), (2, 1, 160, 224))


def export_detector(
    checkpoint: Path, folder: Path, name: str | None, licence: str, training_data: str, min_score: float, sure_score: float
) -> Manifest:
    """Write NAME.onnx and NAME.json into ``folder``.

    Args:
        checkpoint: of ``train_detector``.
        folder: is created.
        name: the recipe's where None.
        licence: of the weights.
        training_data: a sentence for the manifest.
        min_score: the default threshold.
        sure_score: of a face that can stand alone.

    Raises:
        TrainingError: the checkpoint cannot be read.
        ExportError: the folder cannot be written to, or the file does not compute what the network computes.
    """
    network, recipe = load_detector(checkpoint)
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
        kind="detector",
        file=path.name,
        sha256=sha256_of(path),
        licence=licence,
        training_data=training_data,
        dtype="uint8",
        value_range=(0.0, 255.0),
        size_rule=SizeRule(minimum=32, multiple_of=32),
        batch=(1, 8, 32),
        description="Faces with five landmarks in the luma plane, full or video range",
        parameters=parameters,
        figures={"min_score": round(min_score, 3), "sure_score": round(sure_score, 3)} | _validated(checkpoint),
        parity=parity,
        versions=versions(),
    )
    with writable(path, ExportError):
        write_manifest(manifest, folder / f"{name}.json")
    return manifest


def _validated(checkpoint: Path) -> dict[str, float]:
    row = last_validation(checkpoint)
    known = {key: value for key, value in row.items() if key in _FIGURES and math.isfinite(value)}
    return {f"validation_{key}": round(value, 4) for key, value in known.items()}


def export_network(network: GreyDetector, path: Path) -> None:
    """Write a network as one self-contained ONNX file; its batch normalisation is folded into the convolutions."""
    fold(network.eval())
    rows, columns = torch.export.Dim("rows", min=1, max=256), torch.export.Dim("columns", min=1, max=256)
    shapes = {0: torch.export.Dim("batch", min=1), 2: 32 * rows, 3: 32 * columns}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Exported(network).eval(),
            (torch.zeros(2, 1, 96, 160, dtype=torch.uint8),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=output_names(),
            dynamic_shapes=(shapes,),
            verbose=False,
        )
    assert program is not None
    onnx.save(without_notes(program.model_proto), str(path))
    onnx.checker.check_model(str(path), full_check=True)


def fold(module: nn.Module) -> None:
    """Replace each convolution and the normalisation behind it by one convolution, in place."""
    for child in module.children():
        if isinstance(child, nn.Sequential) and isinstance(child[0], nn.Conv2d) and isinstance(child[1], nn.BatchNorm2d):
            child[0], child[1] = fuse_conv_bn_eval(child[0], child[1]), nn.Identity()
        else:
            fold(child)


def _parity(network: nn.Module, path: Path) -> Parity:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for shape in _SHAPES:
        luma = rng.integers(0, 256, shape, dtype=np.uint8)
        with torch.inference_mode():
            expected = network(torch.from_numpy(luma))
        for ours, theirs in zip(session.run(output_names(), {INPUT: luma}), expected, strict=True):
            difference = float(np.abs(ours - theirs.numpy()).max())
            worst = max(worst, difference) if np.isfinite(difference) else float("inf")
    return Parity(worst, list(_SHAPES), f"onnxruntime {onnxruntime.__version__}")
