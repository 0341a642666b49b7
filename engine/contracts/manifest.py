"""The manifest beside a model file: all that the offline side tells the live side about a model."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ModelError

_SETTLED_NS = 2_000_000_000
"""A file that was changed since then may change again at the same time, as its clock is coarse."""


FileName = Annotated[str, msgspec.Meta(pattern=r"^(?!\.{1,2}$)[^/\x00]+$")]
"""Of a file beside a manifest: no path, which could lead elsewhere."""


class SizeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input sizes that a model accepts; a caller pads up to the rule and crops the result back."""

    minimum: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Smallest height and width, in pixels."""
    multiple_of: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Height and width are padded to multiples of this."""

    def padded(self, length_px: int) -> int:
        """Return the smallest allowed length that is at least ``length_px``."""
        length_px = max(length_px, self.minimum)
        return -(-length_px // self.multiple_of) * self.multiple_of


class Parity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the exported file is from the network that it was exported from."""

    max_abs_error: float
    """Largest absolute difference over the checked inputs, in the unit of the output."""
    checked_shapes: list[tuple[int, int, int, int]]
    """Input shapes that were compared, NCHW."""
    runtime: str
    """Runtime and version, as ``onnxruntime 1.31.1``."""


class SmallFaces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An embedder for faces that are too small for another, in the same space of vectors."""

    model: FileName
    """File name of its manifest, beside the other's."""
    weights: tuple[tuple[float, float], ...]
    """Its share of the vector, 0 to 1, by the distance of the eyes in pixels, rising; linear between, constant beyond."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model file and how to drive it.

    The file is found beside its manifest: ``NAME.json`` describes ``file``, or one ``output`` of it.
    """

    name: str
    kind: Literal["generator", "detector", "embedder", "second_look", "track"]
    """`track`: makes one picture of several frames of a face."""
    file: FileName
    """File name of the model, relative to the manifest."""
    output: str = ""
    """Which output of the file, where several manifests share one (generators of several scales); empty: its only one."""
    sha256: str
    """Of the model file, lower-case hexadecimal."""
    weights_sha256: str = ""
    """Of the file that the model file was made from, where it is made on this machine: what tells one model from another."""
    licence: str
    training_data: str
    scale: int = 1
    """Output side over input side (generators, and what makes pictures of tracks)."""
    channels: int = 1
    """1: luma, 3: colour."""
    colour: Literal["luma", "rgb", "bgr"] = "luma"
    layout: Literal["NCHW"] = "NCHW"
    dtype: Literal["float32", "float16", "uint8"] = "float32"
    value_range: tuple[float, float] = (0.0, 1.0)
    """Of input and output: 8-bit pixels 0 to 255 map linearly onto it."""
    size_rule: SizeRule = SizeRule()
    input_size_px: tuple[int, int] | None = None
    """Fixed (height, width) where the model has one (embedders)."""
    landmarks_px: tuple[tuple[float, float], ...] = ()
    """Where the five landmarks of a face lie in the input, x and y (embedders); empty: at ArcFace's places."""
    batch: tuple[int, int, int] = (1, 1, 32)
    """Smallest, best and largest batch."""
    small_faces: SmallFaces | None = None
    """Who helps with small faces (embedders)."""
    largest_side_px: float = 0.0
    """Of crops, geometric mean of height and width, up to which it pays as measured (models of kind `track`); 0: any."""
    embedding_length: int = 0
    """Length of the output vector (embedders)."""
    description: str = ""
    source_url: str = ""
    parameters: int = 0
    figures: dict[str, float] = {}
    """Measured results, as ``psnr_gain_clean_db``; the model card says how they were measured."""
    parity: Parity | None = None
    versions: dict[str, str] = {}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(path: Path) -> Manifest:
    """Read ``NAME.json`` and check that the model file beside it is the one it describes.

    Raises:
        ModelError: the manifest or the model file is missing, malformed, or does not match.
    """
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise ModelError(f"cannot read the model manifest {path}: {error.strerror}") from error
    except UNREADABLE as error:
        raise ModelError(f"{path} is not a model manifest: {error}") from error
    model = path.with_name(manifest.file)
    if not model.is_file():
        raise ModelError(f"{path} names the model file {manifest.file}, which is not beside it")
    if _sha256_now(model) != manifest.sha256:
        raise ModelError(f"{model} is not the file that {path.name} describes (SHA-256 differs): fetch or export it again")
    return manifest


def _sha256_now(path: Path) -> str:
    """Return the SHA-256 of a file, computed once while it stays as it is: who finds a model looks at it, and who opens it."""
    found = path.stat()
    if time.time_ns() - found.st_ctime_ns < _SETTLED_NS:
        return sha256_of(path)
    return _sha256_then(path, found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)


@lru_cache(maxsize=64)
def _sha256_then(path: Path, *identity: int) -> str:
    """See ``_sha256_now``; ``identity``: another one is another file, or another content."""
    return sha256_of(path)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest as indented JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
