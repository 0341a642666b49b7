"""The manifest beside a compiled engine: what it was made of, for what, and whether it computes what its model computes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engine.contracts.manifest import sha256_of
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ModelError

Target = Literal[
    "onnxruntime", "openvino", "ncnn", "tensorrt-rtx", "tensorrt", "aotinductor", "onnxruntime-cuda", "onnxruntime-tensorrt-rtx"
]  # fmt: skip
EnginePrecision = Literal["fp32", "fp16", "bf16", "fp8", "int8"]
Pixels = Literal["float", "uint8"]
MASK = "inside"
"""The second input of a generator's engine to which pictures are padded: (N, 1, H, W) uint8, 1 where the picture is."""
RECIPE = 2
"""Raised when engines are made in another way: those of before are built anew."""
FULL_GATE_FACES = 200
"""Fewer tell less: of seven faces none may be the one that an engine spoils."""
Verdict = Literal["passed", "failed", "not run"]


def is_asked_for(target: str, precision: str) -> bool:
    """Whether an engine's precision is not in its file, but asked for when it is opened."""
    return (target, precision) == ("openvino", "bf16")


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an engine is made for."""

    sizes_px: tuple[int, int]
    """Smallest and largest height and width of the input."""
    batch: tuple[Annotated[int, msgspec.Meta(ge=1)], int, int]
    """Smallest, best and largest batch."""
    step_px: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Pictures are padded to multiples of it, since each new size costs its runtime; more than 1: the engine takes a mask."""


class EngineKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an engine depends on: another key is another engine."""

    model_sha256: str
    output: str = ""
    """The one output of the model that it computes; empty: all."""
    target: Target
    target_version: str
    compute_capability: str = ""
    """Of the GPU, as ``8.9``; empty where the target is a CPU."""
    processor: str = ""
    """The CPU that it is for: its gate says nothing of another; empty where the target is a GPU."""
    precision: EnginePrecision
    profile: Profile
    calibration: str = ""
    """Of the faces that an int8 engine was to be calibrated on, where others than our own were given."""
    pixels: Pixels = "float"
    """``uint8``: a generator takes and gives 8-bit pixels; their range, layout and rounding are inside."""
    tool: str = ""
    """What else made it, and its version, as ``pnnx 20261020``: a quantiser or a converter."""
    recipe: int = RECIPE

    @property
    def on_gpu(self) -> bool:
        """Whether it is for a GPU."""
        return bool(self.compute_capability)

    def difference(self, other: EngineKey) -> str:
        """Return in words what this one is for, and another is not, as ``tensorrt-rtx 1.6.1, not 1.7.1; precision fp32, not
        fp16``; empty where they are equal.
        """
        names = {"model_sha256": "model ", "target_version": f"{self.target} ", "profile": ""}
        found = []
        for name in self.__struct_fields__:
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                called = names.get(name, name.replace("_", " ") + " ")
                found.append(f"{called}{_short(ours)}, not {_short(theirs)}")
        return "; ".join(found)


class EngineParity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An engine against its model in ONNX Runtime float32, on real faces."""

    verdict: Verdict
    reason: str = ""
    """Why it failed, or was not run."""
    faces: int = 0
    """That were compared."""
    source: str = ""
    """Where the faces come from."""
    note: str = ""
    """As ``7 faces: not a full gate``, where they are fewer than ``FULL_GATE_FACES``; empty where they are not."""
    figures: dict[str, float] = {}
    limits: dict[str, float] = {}
    """Of the figures of the same name."""


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input or output of an engine."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    """None where it is free."""


class EngineManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One engine file; ``FILE.json`` describes ``FILE``."""

    name: str
    """Of the model."""
    kind: Literal["generator", "detector", "embedder", "second_look", "track"]
    key: EngineKey
    file: str
    sha256: str
    """Of the engine file."""
    size_bytes: int
    licence: str
    """Of the model's weights, which are inside the engine."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    seconds: float
    """How long it took to make."""
    made_at: str
    """UTC, ISO 8601."""
    kept_in_float32: tuple[str, ...] = ()
    """Nodes of the model that are not computed in ``key.precision``."""
    calibration: str = ""
    """What an int8 engine was calibrated on."""
    parity: EngineParity
    versions: dict[str, str] = {}

    @property
    def usable_by_auto(self) -> bool:
        """Whether an engine may be taken without being asked for: only what was compared with its model, and agrees."""
        return self.parity.verdict == "passed"


def engine_manifest_path(engine: Path) -> Path:
    """Return where the manifest of an engine lies."""
    return engine.with_name(f"{engine.name}.json")


def read_engine_manifest(engine: Path) -> EngineManifest:
    """Read the manifest of an engine file, and check that the file is the one that it describes.

    Raises:
        ModelError: the engine or its manifest is missing, cannot be read or is damaged, or they do not belong together; the
            message says what is wrong, and whoever knows the model adds ``rebuild_command``.
    """
    path = engine_manifest_path(engine)
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=EngineManifest)
    except OSError as error:
        raise ModelError(f"cannot read the engine manifest {path}: {error.strerror}") from error
    except UNREADABLE as error:
        raise ModelError(f"{path} is not an engine manifest ({error})") from error
    if not engine.is_file():
        raise ModelError(f"{path} describes an engine which is not beside it")
    if manifest.file != engine.name:
        raise ModelError(f"{path} describes {manifest.file}, not {engine.name}")
    try:
        size = engine.stat().st_size
        found = sha256_of(engine)
    except OSError as error:
        raise ModelError(f"this user cannot read the engine {engine} ({error.strerror})") from error
    if size < manifest.size_bytes:
        raise ModelError(f"the engine {engine} is cut off after {size} of {manifest.size_bytes} bytes")
    if found != manifest.sha256:
        raise ModelError(f"the engine {engine} is damaged, or it is another one (SHA-256 differs)")
    return manifest


def _short(value: object) -> str:
    if isinstance(value, Profile):
        step = f" by {value.step_px}" if value.step_px > 1 else ""
        return f"{value.sizes_px[0]}..{value.sizes_px[1]} px{step} at batch {','.join(map(str, value.batch))}"
    text = str(value)
    return text[:12] if len(text) == 64 else text or "none"
