"""Which models there are and where they lie."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_data_dir

from engine.models import dlib_embedder

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MODEL_SUFFIXES = (".onnx", ".json")


@dataclass(frozen=True, slots=True)
class Downloadable:
    """A model that somebody else publishes: never fetched silently, checked byte by byte."""

    name: str
    kind: Literal["generator", "detector", "embedder"]
    file: str
    """Its name in the models folder."""
    url: str
    sha256: str
    size_bytes: int
    licence: str
    note: str


DOWNLOADABLE: tuple[Downloadable, ...] = (
    Downloadable(
        name="yunet",
        kind="detector",
        file="face_detection_yunet_2023mar.onnx",
        url=(
            "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
            "face_detection_yunet/face_detection_yunet_2023mar.onnx"
        ),
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        size_bytes=232_589,
        licence="MIT",
        note="YuNet by Shiqi Yu, from the OpenCV zoo: faces from about 12 px, five landmarks",
    ),
)

INSIGHTFACE_NOTE = (
    "InsightFace packs (SCRFD and ArcFace, weights for non-commercial research only) have no published SHA-256 and are left to "
    "their own tool: `insightface-cli model.download buffalo_l`, then scrfd:buffalo_l and insightface:buffalo_l"
)


def models_dir() -> Path:
    """Return the folder of fetched models: $FACESTREAM_MODELS, or the user's own, as ``~/.local/share/facestream/models``."""
    chosen = os.environ.get("FACESTREAM_MODELS")
    return Path(chosen).expanduser() if chosen else Path(user_data_dir("facestream", appauthor=False)) / "models"


def engines_dir() -> Path:
    """Return the folder of the engines that `trt-build build` makes where it is told no other."""
    return models_dir() / "engines"


def embedded_dir() -> Path:
    """Return the folder of the models that come with this package."""
    return Path(__file__).parent


def embedded_manifests() -> list[Path]:
    """Return the manifests of the models that come with this package, by name."""
    return sorted(embedded_dir().glob("*.json"))


def find_model(name: str) -> Path | None:
    """Return the local file of a model, None where there is none.

    Args:
        name: the path of a manifest or of an ONNX file; or the name of an embedded model, of one in ``models_dir()`` (with its
            manifest ``NAME.json``), or of a fetched one; or ``dlib``, which is made there on first use.

    Returns:
        The manifest where the model has one, otherwise the model file (``yunet``).
    """
    path = Path(name).expanduser()
    if path.suffix in _MODEL_SUFFIXES and path.is_file():
        return path
    if not _NAME.fullmatch(name):
        return None
    if name == dlib_embedder.NAME:
        return dlib_embedder.dlib_embedder(models_dir())
    candidates = [embedded_dir() / f"{name}.json", models_dir() / f"{name}.json"]
    candidates += [models_dir() / entry.file for entry in DOWNLOADABLE if entry.name == name]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def downloadable(name: str) -> Downloadable | None:
    """Return the entry of a model that can be fetched, None where no such model is known."""
    return next((entry for entry in DOWNLOADABLE if entry.name == name), None)
