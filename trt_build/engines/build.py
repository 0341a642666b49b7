"""Finds engines in a folder that fit an order, builds missing ones, and compares them with their model."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import onnx
import onnxruntime

from engine.contracts.engine_manifest import (
    EngineKey,
    EngineManifest,
    EngineParity,
    engine_manifest_path,
    read_engine_manifest,
)
from engine.errors import FacestreamError, InferenceError, MissingRuntimeError, ModelError
from engine.models.engine_command import build_command
from engine.sessions.built_engines import BuiltEngine, version_of
from engine.sessions.cuda_api import Cuda
from engine.sessions.processor import processor_here
from engine.sessions.tensorrt_api import FLAVOURS, tensorrt
from engine.whole_file import replacing
from trt_build.array_files import key_of as content_key
from trt_build.engines.gpus import capability_here
from trt_build.engines.lock import alone
from trt_build.engines.parity import Compared, compare
from trt_build.engines.real_faces import GATE_FACES
from trt_build.engines.targets import Order, make, pixels_of, require_maker, tool_of
from trt_build.errors import WriteError
from trt_build.work import Done
from trt_build.writing import writable

Say = Callable[[str], None]


@dataclass(frozen=True)
class Engine:
    """One engine in its folder."""

    path: Path
    manifest: EngineManifest
    is_new: bool


@dataclass(frozen=True)
class Workshop:
    """The folder of engines, and callbacks for progress."""

    folder: Path
    say: Say
    """Called with a sentence on what happens."""
    done: Done
    """Called with the progress."""
    faces: Path | None = None
    """Faces for the gate, instead of the default."""
    count: int = GATE_FACES

    def path_of(self, order: Order) -> Path:
        """Return the path of an engine."""
        return self.folder / order.file

    def gate(self, order: Order, manifest: EngineManifest, path: Path) -> EngineParity:
        """Compare an engine with its model, if it can be run here."""
        if order.on_gpu and (absent := _no_gpu(order)):
            return EngineParity(verdict="not run", reason=f"{order.target.name} engines run on a GPU: {absent}")
        device = "cuda:0" if order.on_gpu else "cpu"
        try:
            return compare(order.model, Compared(BuiltEngine(path, manifest), device, self.faces, self.count), self.done)
        except (ModelError, InferenceError) as error:  # its own runtime refuses it, or fails
            return EngineParity(verdict="failed", reason=str(error))
        except MissingRuntimeError as error:
            if not order.on_gpu:
                raise
            return EngineParity(verdict="not run", reason=str(error))  # for instance if the driver is too old


def _no_gpu(order: Order) -> str:
    """Return why no GPU here can run this engine; empty if one can."""
    try:
        if order.capability not in ("", here := capability_here()):
            return f"this one is for {order.capability}, and here is {here or 'none'}"
        if order.target.name in FLAVOURS:
            Cuda("cuda:0", tensorrt(order.target.name).flavour.extra)
    except FacestreamError as error:
        return str(error)
    return ""


def key_of(order: Order) -> EngineKey:
    """Return the key of everything that the engine depends on.

    Raises:
        MissingRuntimeError: the target is not installed here.
    """
    given = order.calibration
    return EngineKey(
        model_sha256=order.manifest.sha256,
        output=order.manifest.output,
        target=order.target.name,
        target_version=version_of(order.target.name),
        compute_capability=order.capability,
        processor="" if order.on_gpu else processor_here(),
        precision=order.precision,
        profile=order.profile,
        calibration=content_key(given) if given is not None and given.exists() else "",
        pixels=order.pixels,
        tool=tool_of(order.target.name, order.precision),
    )


def build(order: Order, shop: Workshop, *, no_build: bool = False) -> Engine:
    """Return a fitting engine, building it if there is none.

    Args:
        order: the wanted engine.
        shop: where to find or build it.
        no_build: raise instead of building.

    Raises:
        ModelError: ``no_build`` is set and no engine fits; the message says why, and which command builds one.
        FacestreamError: it cannot be built or written; see ``trt_build.engines.targets.make``.
    """
    require_maker(order.target.name)
    key, path = key_of(order), shop.path_of(order)
    found = _fitting(path, key)
    if isinstance(found, EngineManifest):
        return Engine(path, found, is_new=False)
    if no_build:
        raise ModelError(f"{found}: run `{command_of(order, shop.folder)}`")
    with writable(path, WriteError), alone(path, lambda: shop.say(f"another process builds {path.name}: waiting for it")):
        found = _fitting(path, key)
        if isinstance(found, EngineManifest):
            return Engine(path, found, is_new=False)
        if path.exists():
            shop.say(f"{found}; it is built anew")
        return Engine(path, _make(order, key, path, shop), is_new=True)


def _make(order: Order, key: EngineKey, path: Path, shop: Workshop) -> EngineManifest:
    shop.done(f"building {path.name}", 0, 0)
    began = time.monotonic()
    made = make(order)
    seconds = time.monotonic() - began
    # also the file of a killed build, which the next one overwrites
    with replacing(path, path.with_name(f".unfinished.{path.name}"), public=True) as unfinished:
        unfinished.write_bytes(made.content)
        manifest = EngineManifest(
            name=order.manifest.name,
            kind=order.manifest.kind,
            key=key,
            file=path.name,
            sha256=hashlib.sha256(made.content).hexdigest(),
            size_bytes=len(made.content),
            licence=order.manifest.licence,
            inputs=made.inputs,
            outputs=made.outputs,
            seconds=round(seconds, 2),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            kept_in_float32=made.kept,
            calibration=made.calibration,
            parity=EngineParity(verdict="not run"),
            versions={"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
        )
        manifest = msgspec.structs.replace(manifest, parity=shop.gate(order, manifest, unfinished))
    write_engine_manifest(manifest, path)
    return manifest


def write_engine_manifest(manifest: EngineManifest, engine: Path) -> None:
    """Write the manifest of an engine beside it, whole or not at all."""
    with replacing(engine_manifest_path(engine), public=True) as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def _fitting(path: Path, key: EngineKey) -> EngineManifest | str:
    """Return the manifest of an intact engine with this key, or why there is none."""
    if not path.exists():
        return f"the engine {path} is not built yet"
    try:
        manifest = read_engine_manifest(path)
    except ModelError as error:
        return str(error)
    if difference := manifest.key.difference(key):
        return f"the engine {path} was built for {difference}"
    try:
        try_fitness(path, manifest)
    except ModelError as error:
        return str(error)
    except MissingRuntimeError:  # the engine is right; the gate reports what this machine lacks
        return manifest
    return manifest


def try_fitness(path: Path, manifest: EngineManifest) -> None:
    """Refuse an engine that cannot run here, as far as can be told without loading it. One for another GPU than this
    machine's is what was ordered.

    Raises:
        ModelError: another one is needed.
        MissingRuntimeError: this machine lacks what it needs.
    """
    if manifest.key.target in FLAVOURS and not _is_for_another_gpu(manifest.key):
        tensorrt(manifest.key.target).check(path.read_bytes(), str(path))


def _is_for_another_gpu(key: EngineKey) -> bool:
    with suppress(MissingRuntimeError):  # nobody knows which GPU is here; the gate says why
        return capability_here() not in ("", key.compute_capability)
    return False


def command_of(order: Order, folder: Path) -> str:
    """Return the command that builds an engine."""
    return build_command(
        order.model,
        order.manifest,
        folder,
        order.target.name,
        order.precision,
        profile=order.profile,
        capability=order.capability,
        pixels=""
        if order.pixels == pixels_of(order.target, order.manifest.kind, capability=order.capability)
        else order.pixels,
        calibration=order.calibration,
    )
