"""What engines can be made for, and how each is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import onnx

from engine.contracts.engine_manifest import EnginePrecision, Profile, Target, Tensor
from engine.contracts.manifest import Manifest
from engine.errors import MissingRuntimeError, UsageError
from engine.models.catalog import find_model
from engine.runtime.precision import Precision
from engine.runtime.tensorrt_api import tensorrt
from trt_build.engines.graph import kept_nodes, plain_graph, tensors_of
from trt_build.engines.half import cast_graph
from trt_build.engines.inputs import calibration_inputs
from trt_build.engines.int8 import int8_graph, int8_kept
from trt_build.engines.ncnn_files import ncnn_container
from trt_build.engines.profiles import shapes
from trt_build.engines.tensorrt_engine import build_engine
from trt_build.engines.turing import dense_as_convolution


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One target."""

    name: Target
    package: str
    """Whose version the engine depends on."""
    extra: str
    """Of our own package, which installs it; empty: the base install."""
    precisions: tuple[EnginePrecision, ...]
    suffix: str
    on_gpu: bool = False
    bfloat16_is_asked_for: bool = False
    """bf16 is not in the file, but asked for when it is opened."""


TARGETS: dict[str, TargetSpec] = {
    "onnxruntime": TargetSpec("onnxruntime", "onnxruntime", "", ("fp32", "fp16", "int8"), ".onnx"),
    "openvino": TargetSpec("openvino", "openvino", "openvino", ("fp32", "bf16", "int8"), ".onnx", bfloat16_is_asked_for=True),
    "ncnn": TargetSpec("ncnn", "ncnn", "ncnn", ("fp32",), ".ncnn"),
    "tensorrt-rtx": TargetSpec(
        "tensorrt-rtx", "tensorrt_rtx", "trt-rtx", ("fp32", "fp16", "bf16", "int8"), ".engine", on_gpu=True
    ),
    "tensorrt": TargetSpec("tensorrt", "tensorrt", "trt", ("fp32", "fp16", "bf16", "int8"), ".engine", on_gpu=True),
}


@dataclass(frozen=True)
class Order:
    """One engine that is wanted."""

    model: Path
    """The manifest of the model."""
    manifest: Manifest
    target: TargetSpec
    precision: EnginePrecision
    profile: Profile
    capability: str = ""
    calibration: Path | None = None

    @property
    def called(self) -> str:
        """What the command line calls the model: its name, or its manifest where the name is another's or nobody's."""
        return self.manifest.name if find_model(self.manifest.name) == self.model else str(self.model)

    @property
    def file(self) -> str:
        """Name of the engine file."""
        parts = [self.manifest.name, self.target.name.replace("-", "_"), self.precision]
        if self.capability:
            parts.insert(2, f"sm{self.capability.replace('.', '')}")
        return "-".join(parts) + self.target.suffix


@dataclass(frozen=True)
class Built:
    """What came of it."""

    content: bytes
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    kept: tuple[str, ...] = ()
    calibration: str = ""


def target_of(name: str, precision: str, kind: str) -> TargetSpec:
    """Return a target that can compute a kind of model in a precision.

    Raises:
        UsageError: it is not known, or cannot.
    """
    spec = TARGETS.get(name)
    if spec is None:
        raise UsageError(f"--target {name}: choose one of {', '.join(TARGETS)}")
    if precision not in spec.precisions:
        raise UsageError(f"--precision {precision}: {name} computes in {', '.join(spec.precisions)}")
    if spec.bfloat16_is_asked_for and precision == "bf16" and kind not in ("generator", "detector"):
        raise UsageError(
            f"--precision bf16: on {name} it is for generators and detectors; the {kind.replace('_', ' ')} computes in "
            "float32 on every machine"
        )
    return spec


def version_of(target: TargetSpec) -> str:
    """Return the version of what an engine is made for.

    Raises:
        MissingRuntimeError: it is not installed.
    """
    if target.on_gpu:
        return tensorrt(target.name).version
    try:
        return metadata.version(target.package)
    except metadata.PackageNotFoundError as error:
        raise MissingRuntimeError(
            f"{target.name} is not installed: pip install 'facestream{f'[{target.extra}]' if target.extra else ''}'"
        ) from error


def live_precision(precision: EnginePrecision, target: TargetSpec) -> Precision:
    """Return in what an engine is opened by the live side."""
    return "bfloat16" if precision == "bf16" and target.bfloat16_is_asked_for else "float32"


def make(order: Order) -> Built:
    """Make one engine.

    Raises:
        MissingRuntimeError: a package is missing.
        ModelError: the model is no ONNX file.
        ExportError: it cannot be cast, quantised, converted or built.
        DataError: there are no faces to calibrate on.
    """
    name = order.manifest.name
    graph = plain_graph(order.model.with_name(order.manifest.file), order.manifest.output, name)
    if order.target.on_gpu:
        graph = dense_as_convolution(graph)
    precise, calibration = _in_precision(order, graph)
    kept = int8_kept(graph) if order.precision == "int8" else kept_nodes(graph) if precise is not graph else []
    content, inputs, outputs = _MAKERS[order.target.name](order, precise)
    return Built(content, inputs, outputs, tuple(kept), calibration)


def _in_precision(order: Order, graph: onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    if order.precision == "int8":
        inputs, words = calibration_inputs(order.manifest, order.profile, order.calibration)
        return int8_graph(graph, inputs, symmetric=order.target.on_gpu), words
    if order.precision == "fp32" or order.target.bfloat16_is_asked_for:
        return graph, ""
    return cast_graph(graph, order.precision), ""


Made = tuple[bytes, tuple[Tensor, ...], tuple[Tensor, ...]]


def _onnx(order: Order, graph: onnx.ModelProto) -> Made:
    return graph.SerializeToString(), *tensors_of(graph)


def _ncnn(order: Order, graph: onnx.ModelProto) -> Made:
    content, _ = ncnn_container(graph, order.manifest.name, shapes(order.manifest, order.profile))
    return content, *tensors_of(graph)


def _tensorrt(order: Order, graph: onnx.ModelProto) -> Made:
    return build_engine(order.target.name, graph, order.manifest.name, shapes(order.manifest, order.profile), order.capability)


_MAKERS: dict[str, Callable[[Order, onnx.ModelProto], Made]] = {
    "onnxruntime": _onnx, "openvino": _onnx, "ncnn": _ncnn, "tensorrt-rtx": _tensorrt, "tensorrt": _tensorrt,
}  # fmt: skip
