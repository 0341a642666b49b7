"""ArcFace-style embedders: any ONNX file that turns an aligned face into a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.contracts.frames import Float32, Uint8
from engine.contracts.manifest import Manifest, SmallFaces, read_manifest, sha256_of
from engine.contracts.profile import Profile
from engine.errors import ConfigError, InferenceError, ModelError
from engine.models.onnx_file import read_model
from engine.sessions.session import Session, SessionSpec, TensorSpec, open_session, trying
from engine.verify.align import align

_PROFILE = Profile(1, 16, 64)
"""Batches if no manifest gives them."""
PACKS = Path("~/.insightface/models")
_RECOGNITION_FILES = ("w600k_*.onnx", "glintr*.onnx", "*arcface*.onnx", "*webface*.onnx", "*recognition*.onnx")
"""Names of the recognition model in InsightFace's packs; the other files of a pack detect faces or find
landmarks, age and sex.
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How pixels are converted to the model's input."""

    colour: str = "rgb"
    value_range: tuple[float, float] = (-1.0, 1.0)
    """Values of the levels 0 and 255: -1 and 1 stand for (x - 127.5) / 127.5."""
    places: Float32 | None = None
    """Positions of the landmarks in the input, (5, 2) pixels; None: ArcFace's."""
    name: str = ""
    weights_sha256: str = ""
    small_faces: SmallFaces | None = None
    licence: str = "unknown"
    profile: Profile = _PROFILE
    known_cosine: float = 0.40
    unknown_cosine: float = 0.25
    margin_cosine: float = 0.05
    min_size_px: float = 24.0


class OnnxEmbedder:
    """The model has one input of square faces (NCHW or NHWC, float32) and one output, a vector for each face.

    A manifest beside the file (``NAME.json`` for ``NAME.onnx``) gives colour order, range, alignment and licence, and in its
    ``figures`` the thresholds ``known_cosine``, ``unknown_cosine``, ``margin_cosine`` and ``min_size_px``. Without it: RGB,
    (x - 127.5) / 127.5 unless the graph begins with that step itself, and thresholds around the 0.363 that the OpenCV zoo gives
    for SFace on LFW (a convention for networks trained with an angular margin, not a measurement of this file: calibrate before
    relying on them).

    Args:
        spec: of the ONNX file or its manifest; the default name is the manifest's or the file's.
        licence: used if no manifest gives one.

    Raises:
        ModelError: the file is missing, corrupt, or not an embedder.
        ConfigError: it would not compute in float32, which comparable vectors require.
    """

    def __init__(self, spec: SessionSpec, licence: str = "unknown") -> None:
        if spec.precision != "float32":
            raise ConfigError(f"{spec.title}: an embedder computes in float32 only, not in {spec.precision}")
        model, recipe = _recipe_of(spec.path)
        self.name = spec.name or recipe.name or model.stem
        self.licence = recipe.licence if recipe.licence != "unknown" else licence
        self.known_cosine, self.unknown_cosine = recipe.known_cosine, recipe.unknown_cosine
        self.margin_cosine, self.min_size_px = recipe.margin_cosine, recipe.min_size_px
        self._recipe, self._path = recipe, model
        self.places, self.small_faces = recipe.places, recipe.small_faces
        self._session: Session = open_session(replace(spec, model=model, name=str(model), profile=recipe.profile))
        with trying(self._session):
            self.sha256 = recipe.weights_sha256 or sha256_of(model)
            self.runtime, self.profile = self._session.runtime, self._session.profile
            self._channels_first, self.size_px = _square_input(self._session.inputs, model)
            self.length = self._probe()

    def embed(self, pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> Float32:
        """See ``Embedder.embed``."""
        if not pictures:
            return np.empty((0, self.length), np.float32)
        faces = [align(picture, points, self.size_px, self.places) for picture, points in zip(pictures, landmarks, strict=True)]
        step = self.profile.best
        vectors = np.concatenate([self._run(faces[at : at + step]) for at in range(0, len(faces), step)])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or (lengths < 1e-12).any():
            raise InferenceError(
                f"{self._path} gave a vector without a direction: the file is damaged, or it is not an embedder"
            )
        return np.asarray(vectors / lengths, np.float32)

    def close(self) -> None:
        """Free the model."""
        self._session.close()

    def _run(self, faces: Sequence[Uint8]) -> Float32:
        pixels = np.stack(faces)
        if self._recipe.colour == "rgb":
            pixels = pixels[:, :, :, ::-1]
        low, high = self._recipe.value_range
        tensor = pixels.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        if self._channels_first:
            tensor = tensor.transpose(0, 3, 1, 2)
        spec, missing = self._session.inputs[0], self.profile.smallest - len(faces)
        if missing > 0:
            tensor = np.concatenate([tensor, np.zeros((missing, *tensor.shape[1:]), np.float32)])
        output = self._session.run({spec.name: np.ascontiguousarray(tensor, spec.dtype)})[0]
        return np.asarray(output, np.float32).reshape(len(output), -1)[: len(faces)]

    def _probe(self) -> int:
        """Run once on a grey square, to prove that the model takes such input; return the length of its vectors."""
        grey = np.full((self.size_px, self.size_px, 3), 128, np.uint8)
        vectors = self._run([grey])
        if vectors.shape[0] != 1 or not 16 <= vectors.shape[1] <= 4096:
            raise ModelError(f"{self._path} is not an embedder: one face gave an output of shape {vectors.shape}")
        return int(vectors.shape[1])


def recognition_model_of_pack(pack: str, folder: Path = PACKS) -> Path:
    """Return the recognition model of a local InsightFace pack.

    Raises:
        ModelError: there is no such pack, or it does not hold exactly one; the message says where it was looked for.
    """
    place = folder.expanduser() / pack
    if not pack or not place.is_dir():
        raise ModelError(
            f"there is no InsightFace pack {pack!r} in {folder.expanduser()}: fetch it with InsightFace (its weights are for "
            "non-commercial research), or choose the embedder dlib"
        )
    found = sorted({path for pattern in _RECOGNITION_FILES for path in place.rglob(pattern)})
    if len(found) != 1:
        listed = ", ".join(path.name for path in found) or "none"
        raise ModelError(
            f"the InsightFace pack {place} must hold one recognition model ({', '.join(_RECOGNITION_FILES)}), found {listed}: "
            "give the path of the file"
        )
    return found[0]


def _recipe_of(path: Path) -> tuple[Path, Recipe]:
    manifest_path = path if path.suffix == ".json" else path.with_suffix(".json")
    if manifest_path.is_file():
        manifest = read_manifest(manifest_path)
        if manifest.kind != "embedder":
            raise ModelError(f"{manifest_path} describes a {manifest.kind}, not an embedder: choose another file")
        return manifest_path.with_name(manifest.file), _recipe_of_manifest(manifest)
    if not path.is_file():
        raise ModelError(f"there is no embedder {path}: check the path")
    return path, Recipe(value_range=(0.0, 255.0)) if _normalises_itself(path) else Recipe()


def _recipe_of_manifest(manifest: Manifest) -> Recipe:
    thresholds = ("known_cosine", "unknown_cosine", "margin_cosine", "min_size_px")
    measured = {key: value for key, value in manifest.figures.items() if key in thresholds}
    colour = "bgr" if manifest.colour == "bgr" else "rgb"
    places = np.array(manifest.landmarks_px, np.float32) if manifest.landmarks_px else None
    if places is not None and places.shape != (5, 2):
        raise ModelError(f"the manifest of {manifest.name} must give five landmarks_px, or none: it gives {len(places)}")
    return Recipe(
        colour,
        manifest.value_range,
        places,
        manifest.name,
        manifest.weights_sha256,
        manifest.small_faces,
        manifest.licence,
        Profile(*manifest.batch),
        **measured,
    )


def _normalises_itself(path: Path) -> bool:
    """Whether the graph begins with its own subtraction and scaling, as InsightFace's MXNet exports do; the test is
    InsightFace's.
    """
    names = [node.name for node in read_model(path, str(path)).graph.node[:8]]
    return any(name.startswith(("Sub", "_minus")) for name in names) and any(name.startswith(("Mul", "_mul")) for name in names)


def _square_input(inputs: Sequence[TensorSpec], path: Path) -> tuple[bool, int]:
    """Return whether channels come first, and the side of the square in pixels."""
    shape = inputs[0].shape if len(inputs) == 1 else None
    if shape is not None and len(shape) == 4 and 3 in (shape[1], shape[3]):
        channels_first = shape[1] == 3
        height, width = (shape[2], shape[3]) if channels_first else (shape[1], shape[2])
        if height == width or None in (height, width):
            return channels_first, height or width or 112
    listed = ", ".join(map(str, inputs))
    raise ModelError(
        f"{path} is not an embedder: it takes {listed}, expected one square colour picture (1x3x112x112 or 1x112x112x3)"
    )
