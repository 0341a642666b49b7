"""Engines of one model that `trt-build build` left in a folder: which can be opened here, and why the others cannot."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.contracts.engine_manifest import RECIPE, EngineManifest, Target, is_asked_for, read_engine_manifest
from engine.contracts.manifest import Manifest
from engine.errors import MissingRuntimeError, ModelError
from engine.models.engine_command import rebuild_command
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX
from engine.sessions.packages import installed
from engine.sessions.precision import Computed
from engine.sessions.processor import processor_here
from engine.sessions.spec import SessionSpec
from engine.sessions.tensorrt_api import FLAVOURS, tensorrt

PACKAGES: dict[Target, tuple[str, str]] = {
    "onnxruntime": ("onnxruntime", ""),
    ON_CUDA: ("onnxruntime-gpu", ""),
    ON_RTX: ("onnxruntime-ep-nv-tensorrt-rtx", "onnxruntime-rtx"),
    "openvino": ("openvino", "openvino"),
    "ncnn": ("ncnn", "ncnn"),
    "aotinductor": ("torch", "aotinductor"),
}
"""The package on whose version an engine depends, and our extra that installs it; for TensorRT see ``FLAVOURS``."""
PRECISIONS: dict[str, Computed] = {
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "fp8": "float8",
    "int8": "int8",
}
"""Precisions of engines: the name in files, and in configurations."""


@dataclass(frozen=True)
class BuiltEngine:
    """An engine that is intact, built from this very model and for the versions installed here."""

    path: Path
    manifest: EngineManifest

    @property
    def runtime(self) -> Target:
        """The runtime that opens it."""
        return self.manifest.key.target

    @property
    def precision(self) -> Computed:
        """The precision in which it computes."""
        return PRECISIONS[self.manifest.key.precision]

    @property
    def name(self) -> str:
        """Such as ``openvino bfloat16``."""
        return f"{self.runtime} {self.precision}"

    def spec(self, model: SessionSpec) -> SessionSpec:
        """Return the spec that opens the engine instead of its model."""
        return msgspec.structs.replace(self.computing(model), model=self.path, output="")

    def computing(self, spec: SessionSpec) -> SessionSpec:
        """Return a spec with the runtime and precision of this engine."""
        asked = is_asked_for(self.runtime, self.manifest.key.precision)
        return msgspec.structs.replace(
            spec,
            runtime=self.runtime,
            precision="bfloat16" if asked else "float32",
            profile=msgspec.structs.replace(spec.profile, step_px=self.manifest.key.profile.step_px),
            engine="" if asked or self.precision == "float32" else self.precision,
        )

    def gate(self) -> str:
        """Return the verdict of the gate in words."""
        parity = self.manifest.parity
        if parity.verdict != "passed":
            return f"gate {parity.verdict}{f': {parity.reason}' if parity.reason else ''}"
        figures = ", ".join(f"{name.replace('_', ' ')} {parity.figures[name]:.4g}" for name in parity.limits)
        few = ", not a full gate" if parity.note else ""
        return f"gate passed on {parity.faces} faces{few}: {figures}"


@dataclass(frozen=True)
class Trouble:
    """An engine that cannot be opened."""

    path: Path
    what: str
    """The reason, and how to install what is missing."""
    remedy: str = ""
    """The command that rebuilds the engine, if that would help."""

    def __str__(self) -> str:
        return f"{self.what}: run `{self.remedy}`" if self.remedy else self.what


@dataclass(frozen=True)
class Shelf:
    """The engines of a model in a folder."""

    engines: tuple[BuiltEngine, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def engines_for(source: Path, model: Manifest, folder: Path, *, on_gpu: bool) -> Shelf:
    """Return the engines of a model.

    Args:
        source: the model's file, or its manifest.
        model: what the manifest says.
        folder: where they are; it need not exist.
        on_gpu: return engines for GPUs, otherwise those for CPUs.
    """
    engines: list[BuiltEngine] = []
    troubles: list[Trouble] = []
    for described in sorted(folder.glob(f"{glob.escape(model.name)}-*.json")):
        path = described.with_suffix("")
        try:
            manifest = read_engine_manifest(path)
            if manifest.name == model.name and manifest.key.on_gpu == on_gpu:
                _check(path, manifest, model)
                engines.append(BuiltEngine(path, manifest))
        except ModelError as error:
            troubles.append(Trouble(path, str(error), rebuild_command(source, model, path)))
        except MissingRuntimeError as error:
            troubles.append(Trouble(path, str(error)))
    return Shelf(tuple(engines), tuple(troubles))


def version_of(target: Target) -> str:
    """Return the version of the package that runs a target's engines.

    Raises:
        MissingRuntimeError: it is not installed.
    """
    if target in FLAVOURS:
        return tensorrt(target).version
    package, extra = PACKAGES[target]
    if not (found := installed(package)):
        named = f"[{extra}]" if extra else ""
        raise MissingRuntimeError(f"{package} is not installed: pip install 'facestream{named}'")
    return found


def _check(path: Path, manifest: EngineManifest, model: Manifest) -> None:
    """Refuse an engine of another model, or for versions that are not installed here."""
    key = manifest.key
    wanted = msgspec.structs.replace(
        key,
        model_sha256=model.sha256,
        output=model.output,
        target_version=version_of(key.target),
        processor="" if key.on_gpu else processor_here(),
        recipe=RECIPE,
    )
    if difference := key.difference(wanted):
        raise ModelError(f"the engine {path} was built for {difference}")
