"""Exports a checkpoint to one ONNX file with dynamic N, H and W, its manifests and a weights file; parity is checked."""

from __future__ import annotations

import copy
from pathlib import Path

import msgspec
import torch
from torch import nn

from engine.contracts.manifest import Manifest, SizeRule, sha256_of, write_manifest
from trt_build.errors import ExportError
from trt_build.networks.generators.catalog import scales_of
from trt_build.networks.generators.weights import SUFFIX, write_weights
from trt_build.recipes.generator import Recipe
from trt_build.systems.generator.parity import check_parity
from trt_build.systems.generator.state import load_generator, mixed_with_start
from trt_build.training.onnx_file import check, versions, write_onnx

OPSET = 18
INPUT, OUTPUT = "luma", "enhanced"
TOLERANCE = 1e-4
"""Largest accepted difference from torch, for values in [0, 1]: far below one 8-bit level."""


def export_module(model: nn.Module, path: Path) -> None:
    """Write `model` (luma (N, 1, H, W) -> (N, 1, s*H, s*W)) as one self-contained ONNX file.

    A network of several scales gives one output for each, all from one forward.
    """
    example = torch.rand(2, 1, 24, 20)
    axes = {0: "batch", 2: "height", 3: "width"}
    dynamic = {axis: torch.export.Dim(text, min=1) for axis, text in axes.items()}
    plain = model.eval()
    if scales := scales_of(model):
        plain = copy.copy(model)  # instead of a wrapper network, in which the weights would have other names
        plain.forward = plain.pyramid  # type: ignore[assignment]
    write_onnx(plain, example, path, (INPUT, [_output_of(scale) for scale in scales] or [OUTPUT]), dynamic)


def _output_of(scale: int) -> str:
    """Return the name of the output of one of several scales."""
    return f"{OUTPUT}_x{scale}"


def export_checkpoint(
    checkpoint: Path,
    folder: Path,
    name: str | None,
    licence: str,
    training_data: str | None,
    start_share: float = 0.0,
) -> list[Manifest]:
    """Export the averaged weights of `checkpoint` into `folder` as NAME.onnx with NAME.json, and as NAME.safetensors.

    A network of several scales is one ONNX file with an output and a manifest for each: NAME_x4.json and so on.
    ``start_share`` is the share of the weights from which training started, see `mixed_with_start`.

    Raises:
        RecipeError, TrainingError: as for `load_generator`.
        ExportError: the folder cannot be written to, or the file differs from the network.
    """
    model, recipe, data = load_generator(checkpoint)
    if start_share:
        mixed_with_start(model, recipe, start_share)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(model, recipe, data["step"], folder, name or recipe.name, licence, training_data or recipe.data.train)
    except OSError as error:
        raise ExportError(f"The folder '{folder}' cannot be written to: {error.strerror}.") from None


def _write(
    model: nn.Module, recipe: Recipe, step: int, folder: Path, name: str, licence: str, training_data: str
) -> list[Manifest]:
    path = folder / f"{name}.onnx"
    export_module(model, path)
    parity = check_parity(model, path)
    check(parity, path, TOLERANCE)
    whole = Manifest(
        name=name,
        kind="generator",
        file=path.name,
        sha256=sha256_of(path),
        licence=licence,
        training_data=training_data,
        scale=recipe.data.scale,
        channels=1,
        colour="luma",
        size_rule=SizeRule(minimum=1, multiple_of=1),
        description=(
            f"Generator '{recipe.generator.name}' for luma, averaged weights after {step} steps of batch {recipe.batch}."
        ),
        parameters=sum(p.numel() for p in model.parameters()),
        parity=parity,
        versions=versions(),
    )
    manifests = [
        msgspec.structs.replace(whole, name=f"{name}_x{scale}", output=_output_of(scale), scale=scale)
        for scale in scales_of(model)
    ] or [whole]
    for manifest in manifests:
        write_manifest(manifest, folder / f"{manifest.name}.json")
    write_weights(model, recipe.generator.name, folder / f"{name}{SUFFIX}")
    return manifests
