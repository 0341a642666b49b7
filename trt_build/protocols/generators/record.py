"""Writes the figures of a run into the manifests of the measured models."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.contracts.manifest import read_manifest, write_manifest
from engine.errors import ModelError
from trt_build.data.face_sets import SETS
from trt_build.protocols.generators.methods import Method
from trt_build.protocols.generators.results import Results, Row
from trt_build.writing import writable

_BEGIN = {"faces": ("psnr_", "ssim_", "tar_", "cosine_", "flips_"), "footage": ("footage_",), "general": ("general_",)}
"""Prefix of the names of each protocol's figures."""


def record(models: Sequence[Method], results: Results) -> None:
    """Write each model's figures and the baseline's into its manifest, in place of those of an earlier run of the protocol.

    Raises:
        ModelError: a model has no manifest.
        DataError: a manifest cannot be written, for instance in a system folder.
    """
    check_manifests(models)
    for model in models:
        if model.manifest is None:
            continue
        manifest = read_manifest(model.manifest)
        old = {key: value for key, value in manifest.figures.items() if not key.startswith(_BEGIN[results.protocol])}
        found = {key: round(value, 4) for key, value in figures_of(model, results).items()}
        with writable(model.manifest):
            write_manifest(msgspec.structs.replace(manifest, figures=old | found), model.manifest)


def check_manifests(models: Sequence[Method]) -> None:
    """Refuse models without a manifest.

    Raises:
        ModelError: a model has none.
    """
    for model in models:
        if model.manifest is None:
            raise ModelError(f"{model.name} has no manifest to record figures in: remove --record, or export it to ONNX")


def figures_of(model: Method, results: Results) -> dict[str, float]:
    """Return the figures of one model by their names in manifests, such as ``psnr_gain_clean_db``."""
    names = {model.name: "network", results.baseline: results.baseline, f"{model.name} + {results.baseline}": "fused"}
    rows = [row for row in results.rows if row.scale == model.scale and row.method in names]
    largest = max((row.low_px or 0 for row in rows), default=0)
    found: dict[str, float] = {}
    for row in rows:
        name = names[row.method]
        match results.protocol:
            case "faces":
                found |= _faces(row, name, largest)
            case "footage":
                found |= _plain(row, f"footage_{name}")
            case _:
                found |= _plain(row, f"general_{row.inputs.lower()}_{name}")
    return found


def _plain(row: Row, place: str) -> dict[str, float]:
    return {f"{place}_{key}": row.figures[key].value for key in ("psnr_db", "ssim", "cosine") if key in row.figures}


def _faces(row: Row, name: str, largest_px: int) -> dict[str, float]:
    """Return the figures of a set; at the largest size the key has only the set's name, for clean faces of other sizes also the
    size.
    """
    figures, found = row.figures, {}
    place = row.inputs if row.low_px == largest_px else f"{row.inputs}_{row.low_px}px"
    if "psnr_db" in figures:
        found = {f"psnr_{place}_{name}_db": figures["psnr_db"].value, f"ssim_{place}_{name}": figures["ssim"].value}
        noise, alike = figures["psnr_db"].gain, figures["ssim"].gain
        if noise is not None and alike is not None:
            found |= {f"psnr_gain_{place}_db": noise.value, f"ssim_gain_{place}": alike.value}
    who = f"{row.inputs}_{row.low_px}px_{name}" if row.inputs in SETS[1:] else f"{row.low_px}px_{name}"
    for key, figure in figures.items():
        if key.startswith(("tar_", "cosine", "flips")):
            found[f"{key}_{who}"] = figure.value
    return found
