"""The models of a job by the SHA-256 of their weights, found without opening them."""

from __future__ import annotations

from pathlib import Path

from engine.config import Config
from engine.contracts.manifest import read_manifest, sha256_of
from engine.detect.catalog import detector_named
from engine.detect.second_look import NAME as SECOND_LOOK
from engine.models import find_model
from engine.super_resolve.track_network import MODEL as FUSER


def models_named(config: Config) -> dict[str, str]:
    """Return the SHA-256 of the models that settings name, by role; what is not a file of ours, as a pack, has none here.

    Raises:
        ModelError: a file is not the one that its manifest describes.
    """
    names = {
        "detector": detector_named(config.detect, find_model),
        "second_look": SECOND_LOOK if config.detect.second_look else "",
        "generator": config.super_resolve.generator,
        "fuser": FUSER if config.super_resolve.track_pictures else "",
        "embedder": config.verify.embedder,
    }
    files = {role: find_model(name) for role, name in names.items() if name}
    return {role: _weights(path) for role, path in files.items() if path is not None}


def _weights(path: Path) -> str:
    if not (described := path.with_suffix(".json")).is_file():
        return sha256_of(path)
    manifest = read_manifest(described)
    return manifest.weights_sha256 or manifest.sha256
