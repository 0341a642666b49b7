"""The targets of engines, and how an engine is built for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import onnx

from engine.contracts.engine_manifest import MASK, EnginePrecision, Pixels, Profile, Target, Tensor, is_asked_for
from engine.contracts.manifest import Manifest
from engine.errors import UsageError
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX, SETTINGS
from engine.sessions.packages import installed
from engine.sessions.tensorrt_api import FLAVOURS
from trt_build.engines.aotinductor_package import aotinductor_package
from trt_build.engines.fp8 import fp8_graph
from trt_build.engines.graph import kept_nodes, plain_graph, tensors_of
from trt_build.engines.half import cast_graph
from trt_build.engines.inputs import calibration_inputs
from trt_build.engines.int8 import int8_graph, int8_kept
from trt_build.engines.masked import masked_graph
from trt_build.engines.ncnn_files import ncnn_container
from trt_build.engines.pixels import pixel_graph
from trt_build.engines.profiles import Shapes, profile_for, shapes
from trt_build.engines.tensorrt_engine import build_engine
from trt_build.engines.turing import dense_as_convolution
from trt_build.optional import require_from


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One target."""

    name: Target
    precisions: tuple[EnginePrecision, ...]
    suffix: str
    on_gpu: bool = False
    """Whether it supports GPUs."""
    step_px: int = 1
    """Step of a generator's sizes, if kernels are compiled for each size."""


TARGETS: dict[str, TargetSpec] = {
    "onnxruntime": TargetSpec("onnxruntime", ("fp32", "fp16", "int8"), ".onnx"),
    "openvino": TargetSpec("openvino", ("fp32", "bf16", "int8"), ".onnx", step_px=8),
    "ncnn": TargetSpec("ncnn", ("fp32",), ".ncnn"),
    "tensorrt-rtx": TargetSpec("tensorrt-rtx", ("fp32", "fp16", "bf16", "fp8", "int8"), ".engine", on_gpu=True, step_px=8),
    "tensorrt": TargetSpec("tensorrt", ("fp32", "fp16", "bf16", "fp8", "int8"), ".engine", on_gpu=True, step_px=8),
    ON_CUDA: TargetSpec(ON_CUDA, ("fp32", "fp16"), ".onnx", on_gpu=True, step_px=8),
    ON_RTX: TargetSpec(ON_RTX, ("fp32", "fp16", "bf16"), ".onnx", on_gpu=True, step_px=8),
    "aotinductor": TargetSpec("aotinductor", ("fp32", "fp16", "bf16"), ".pt2", on_gpu=True, step_px=8),
}
CALIBRATED = ("fp8", "int8")
"""Precisions that are calibrated on real faces."""


@dataclass(frozen=True)
class Order:
    """An engine to be built."""

    model: Path
    """The manifest of the model."""
    manifest: Manifest
    target: TargetSpec
    precision: EnginePrecision
    profile: Profile
    capability: str = ""
    calibration: Path | None = None
    pixels: Pixels = "float"

    @property
    def on_gpu(self) -> bool:
        """Whether it is for a GPU."""
        return bool(self.capability)

    @property
    def file(self) -> str:
        """Name of the engine file."""
        parts = [self.manifest.name, self.target.name.replace("-", "_"), self.precision]
        if self.capability:
            parts.insert(2, f"sm{self.capability.replace('.', '')}")
        if self.pixels != "float":
            parts.append(self.pixels)
        return "-".join(parts) + self.target.suffix


@dataclass(frozen=True)
class Built:
    """The result of a build."""

    content: bytes
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    kept: tuple[str, ...] = ()
    calibration: str = ""


def target_of(name: str, precision: str, kind: str) -> TargetSpec:
    """Return a target that supports a kind of model in a precision.

    Raises:
        UsageError: it is unknown, or does not support them.
    """
    spec = TARGETS.get(name)
    if spec is None:
        raise UsageError(f"--target {name}: choose one of {', '.join(TARGETS)}")
    if kind == "track":
        raise UsageError(
            "no engine is built of a network of tracks, which has three inputs: ONNX Runtime and OpenVINO run it as it is"
        )
    if precision not in spec.precisions:
        raise UsageError(f"--precision {precision}: {name} computes in {', '.join(spec.precisions)}")
    if is_asked_for(name, precision) and kind not in ("generator", "detector"):
        raise UsageError(
            f"--precision bf16: on {name} it is for generators and detectors; the {kind.replace('_', ' ')} computes in "
            "float32 on every machine"
        )
    return spec


def profile_on(
    target: TargetSpec, model: Path, manifest: Manifest, sizes: str | None = None, batch: str | None = None
) -> Profile:
    """Return the profile of a model on a target; see ``profile_for``. If sizes are expensive and a mask is possible, it has a
    step.
    """
    profile = profile_for(manifest, sizes, batch)
    if target.step_px == 1 or manifest.kind != "generator":
        return profile
    graph = plain_graph(model.with_name(manifest.file), manifest.output, manifest.name)
    return profile if masked_graph(graph) is None else msgspec.structs.replace(profile, step_px=target.step_px)


def pixels_of(target: TargetSpec, kind: str, wanted: str | None = None, capability: str = "") -> Pixels:
    """Return the type of inputs and outputs: a generator on a GPU takes 8-bit pixels, unless something else is wanted.

    Raises:
        UsageError: it is not possible.
    """
    if wanted == "uint8" and (kind != "generator" or target.name == "ncnn"):
        what = "ncnn" if target.name == "ncnn" else f"a {kind.replace('_', ' ')}"
        raise UsageError(
            f"--pixels uint8: it is for generators, and not for ncnn; {what} takes what its model takes: leave it out"
        )
    on_its_own = "uint8" if capability and kind == "generator" else "float"
    return "uint8" if (wanted or on_its_own) == "uint8" else "float"


def require_maker(target: str) -> None:
    """Refuse a target whose converter is not installed.

    Raises:
        MissingRuntimeError: the message names the extra with everything needed to build, not only to run.
    """
    for module in ("pnnx", "ncnn") if target == "ncnn" else ():
        require_from(module, "Converting to ncnn", "ncnn-build")


def tool_of(target: str, precision: str) -> str:
    """Return the name and version of the tool that builds an engine besides the target's runtime; empty: none, or not
    installed.
    """
    tool = "pnnx" if target == "ncnn" else "onnxruntime" if precision in CALIBRATED else ""
    found = installed(tool) if tool else ""
    return f"{tool} {found}" if found else ""


def make(order: Order) -> Built:
    """Build one engine.

    Raises:
        MissingRuntimeError: a package is missing.
        ModelError: the model is not an ONNX file.
        ExportError: it cannot be cast, quantised, converted or built.
        DataError: there are no faces to calibrate on.
    """
    name = order.manifest.name
    graph = plain_graph(order.model.with_name(order.manifest.file), order.manifest.output, name)
    if order.target.name in FLAVOURS:
        graph = dense_as_convolution(graph)
    if order.profile.step_px > 1 and (masked := masked_graph(graph)) is not None:
        graph = masked
    precise, calibration = _in_precision(order, graph)
    is_cast = precise is not graph
    if order.pixels == "uint8":
        precise = pixel_graph(precise, order.manifest)
    kept = int8_kept(graph) if order.precision in CALIBRATED else kept_nodes(graph) if is_cast else []
    content, inputs, outputs = _MAKERS[order.target.name](order, precise)
    return Built(content, inputs, outputs, tuple(kept), calibration)


def _in_precision(order: Order, graph: onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    if order.precision in CALIBRATED:
        inputs, words = calibration_inputs(order.manifest, order.profile, order.calibration)
        if order.precision == "fp8":
            return fp8_graph(graph, inputs), words
        return int8_graph(graph, inputs, symmetric=order.on_gpu), words
    if order.precision == "fp32" or is_asked_for(order.target.name, order.precision):
        return graph, ""
    return cast_graph(graph, order.precision), ""


Made = tuple[bytes, tuple[Tensor, ...], tuple[Tensor, ...]]


def _onnx(order: Order, graph: onnx.ModelProto) -> Made:
    return graph.SerializeToString(), *tensors_of(graph)


def _onnx_with_shapes(order: Order, graph: onnx.ModelProto) -> Made:
    """Store the sizes in the file, in the form of the TensorRT-RTX provider's settings."""
    some = zip(("min", "opt", "max"), zip(*_shapes(order, graph).values(), strict=True), strict=True)
    names = [one.name for one in graph.graph.input]
    told = {
        f"{SETTINGS}profile_{which}_shapes": ",".join(
            f"{name}:{'x'.join(map(str, shape))}" for name, shape in zip(names, shapes, strict=True)
        )
        for which, shapes in some
    }
    onnx.helper.set_model_props(graph, told)
    return _onnx(order, graph)


def _ncnn(order: Order, graph: onnx.ModelProto) -> Made:
    content, _ = ncnn_container(graph, order.manifest.name, shapes(order.manifest, order.profile))
    return content, *tensors_of(graph)


def _tensorrt(order: Order, graph: onnx.ModelProto) -> Made:
    return build_engine(order.target.name, graph, order.manifest.name, _shapes(order, graph), order.capability)


def _aotinductor(order: Order, graph: onnx.ModelProto) -> Made:
    content = aotinductor_package(graph, order.manifest.name, _shapes(order, graph), on_gpu=order.on_gpu)
    return content, *tensors_of(graph)


def _shapes(order: Order, graph: onnx.ModelProto) -> dict[str, Shapes]:
    """Return the smallest, best and largest shape of each input."""
    small, best, large = sizes = shapes(order.manifest, order.profile)
    if order.pixels == "uint8" and order.manifest.channels == 3:
        small, best, large = ((count, height, width, channels) for count, channels, height, width in sizes)
    low, usual, high = ((count, 1, height, width) for count, _, height, width in sizes)
    return {one.name: (low, usual, high) if one.name == MASK else (small, best, large) for one in graph.graph.input}


_MAKERS: dict[str, Callable[[Order, onnx.ModelProto], Made]] = {
    "onnxruntime": _onnx, "openvino": _onnx, "ncnn": _ncnn, "tensorrt-rtx": _tensorrt, "tensorrt": _tensorrt,
    "aotinductor": _aotinductor, ON_CUDA: _onnx, ON_RTX: _onnx_with_shapes,
}  # fmt: skip
