"""Checks the engines of a model in a folder again: intact, of the current versions, and equal to their model."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.contracts.engine_manifest import EngineManifest, read_engine_manifest
from engine.contracts.manifest import Manifest
from engine.errors import FacestreamError, MissingRuntimeError, ModelError
from engine.models.engine_command import rebuild_command
from trt_build.engines.build import Workshop, key_of, try_fitness, write_engine_manifest
from trt_build.engines.targets import TARGETS, Order
from trt_build.errors import WriteError
from trt_build.writing import writable


@dataclass(frozen=True)
class Checked:
    """One engine."""

    path: Path
    manifest: EngineManifest | None
    """None if it cannot be read."""
    trouble: str
    """Why it cannot be used; empty if it can."""


def check(model: Path, described: Manifest, shop: Workshop, target: str = "") -> list[Checked]:
    """Check all engines of a model, and update the gate's verdicts in their manifests.

    Args:
        model: path of the model's manifest.
        described: its content.
        shop: folder of the engines.
        target: check only engines for it; empty: all.

    Raises:
        DataError: the faces that were given cannot be read.
    """
    found = []
    for path in engines_of(described.name, shop.folder):
        try:
            manifest = read_engine_manifest(path)
        except ModelError as error:
            found.append(Checked(path, None, f"{error}: run `{rebuild_command(model, described, path)}`"))
            continue
        if manifest.name == described.name and target in ("", manifest.key.target):
            found.append(_check(model, described, path, manifest, shop))
    return found


def engines_of(name: str, folder: Path) -> list[Path]:
    """Return the engine files named after a model, including those of which only the manifest exists; some may belong to
    another model whose name begins alike.
    """
    suffixes = tuple({spec.suffix for spec in TARGETS.values()})
    files = {path.with_suffix("") if path.suffix == ".json" else path for path in folder.glob(f"{glob.escape(name)}-*")}
    return sorted(path for path in files if path.name.endswith(suffixes))


def _check(model: Path, described: Manifest, path: Path, manifest: EngineManifest, shop: Workshop) -> Checked:
    shop.done(f"checking {path.name}", 0, 0)
    key = manifest.key
    order = Order(model, described, TARGETS[key.target], key.precision, key.profile, key.compute_capability, pixels=key.pixels)
    again = rebuild_command(model, described, path)
    try:
        difference = key.difference(msgspec.structs.replace(key_of(order), calibration=key.calibration, tool=key.tool))
    except FacestreamError as error:
        return Checked(path, manifest, str(error))
    if difference:
        return Checked(path, manifest, f"it was built for {difference}: run `{again}`")
    try:
        try_fitness(path, manifest)
        parity = shop.gate(order, manifest, path)
    except ModelError as error:
        return Checked(path, manifest, f"{error}: run `{again}`")
    except MissingRuntimeError as error:
        return Checked(path, manifest, str(error))
    judged = msgspec.structs.replace(manifest, parity=parity)
    # A machine that cannot compare leaves the verdict of one that could; a folder that cannot be written can be checked.
    if judged != manifest and parity.verdict != "not run":
        try:
            with writable(path, WriteError):
                write_engine_manifest(judged, path)
        except WriteError as error:  # the others are still checked
            return Checked(path, judged, f"its verdict cannot be kept: {error}")
    return Checked(path, judged, advice(judged, shop.folder))


def advice(manifest: EngineManifest, folder: Path) -> str:
    """Return why `auto` does not use an engine, and which precision passes; empty if it does, or if the gate was not run."""
    parity = manifest.parity
    if parity.verdict != "failed":
        return ""
    passing = sorted(_passing(manifest, folder))
    plain = "build --precision fp32, which is the model as it is" if manifest.key.precision != "fp32" else "take another target"
    other = f"{', '.join(passing)} passes" if passing else plain
    return f"{manifest.key.precision} fails the gate ({parity.reason}), so that `auto` does not take it: {other}"


def _passing(manifest: EngineManifest, folder: Path) -> set[str]:
    found: set[str] = set()
    for path in engines_of(manifest.name, folder):
        try:
            other = read_engine_manifest(path)
        except ModelError:
            continue
        if other.name == manifest.name and other.key.target == manifest.key.target and other.usable_by_auto:
            found.add(other.key.precision)
    return found
