"""The interface of embedders, and the one place that opens one by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.errors import ModelError
from engine.sessions.session import SessionSpec

FindModel = Callable[[str], Path | None]


class Embedder(Protocol):
    """Turns faces into vectors whose cosine tells how alike two people are.

    Use it from one thread; open one in each process.
    """

    name: str
    sha256: str
    """SHA-256 of the weights: only vectors with the same one are compared."""
    licence: str
    runtime: str
    """Runtime with version and precision; it is float32, so that vectors of all machines can be compared."""
    length: int
    """Number of values of a vector."""
    known_cosine: float
    """Default for "the same person", from a measurement that the embedder's docstring names."""
    unknown_cosine: float
    """Default cosine below which a face is nobody in the gallery."""
    margin_cosine: float
    """Default lead that the best identity needs over the second."""
    min_size_px: float
    """Smaller faces can be ``known`` but not ``unknown``: their cosines with their own pictures are lower too."""

    def embed(self, pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> Float32:
        """Return one vector of length 1 for each face: (N, length) float32.

        Args:
            pictures: (height, width, 3) uint8 BGR, one face each, of any size.
            landmarks: of each face, (5, 2) in that picture's pixels, in the order of ``Detections.landmarks``; None: the
                picture's centred square is used, which costs accuracy.

        Raises:
            InferenceError: the model fails.
        """
        ...

    def close(self) -> None:
        """Free the model; ``embed`` must not be called after it."""
        ...


def open_embedder(config: VerifyConfig, find_model: FindModel, threads: int = 1) -> Embedder | None:
    """Open the embedder that ``verify.embedder`` names; None for ``none``.

    Args:
        config: ``embedder`` is ``dlib``, ``insightface:PACK``, the path of an ONNX file or of its manifest, ``none``, or a name
            that ``find_model`` knows.
        find_model: returns the manifest or model file of an installed model by name; None if there is none.
        threads: compute threads of one run.

    Raises:
        ModelError: no such model, or it is not an embedder; the message says where it was looked for.
        MissingRuntimeError: a package is not installed.
    """
    name = config.embedder
    if name == "none":
        return None
    from engine.verify.onnx_embedder import OnnxEmbedder, recognition_model_of_pack

    kind, _, pack = name.partition(":")
    if kind == "insightface":
        spec = SessionSpec(recognition_model_of_pack(pack), device=config.device, threads=threads, name=name)
        return OnnxEmbedder(spec, "non-commercial research")
    path = find_embedder(name, find_model)
    base = OnnxEmbedder(SessionSpec(path, device=config.device, threads=threads))
    if base.small_faces is None:
        return base
    from engine.verify.mixed_embedder import MixedEmbedder

    try:
        small_path = path.with_name(base.small_faces.model)
        small = OnnxEmbedder(SessionSpec(small_path, device=config.device, threads=threads))
        return MixedEmbedder(base, small, base.small_faces.weights)
    except BaseException:
        base.close()
        raise


def find_embedder(name: str, find_model: FindModel) -> Path:
    """Return the file of an embedder that is not from an InsightFace pack.

    Raises:
        ModelError: there is no embedder of this name.
    """
    path = Path(name).expanduser()
    if (found := path if path.is_file() else find_model(name)) is None:
        raise ModelError(
            f"there is no embedder {name!r}: it is neither a file nor an installed model; "
            "use dlib, insightface:PACK, the path of an ONNX file, or none"
        )
    return found
