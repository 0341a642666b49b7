"""An engine for TensorRT or TensorRT-RTX. TensorRT-RTX builds it without a GPU and without a driver."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import onnx

from engine.contracts.engine_manifest import Tensor
from engine.errors import MissingRuntimeError, UsageError
from engine.sessions.tensorrt_api import FLAVOURS, TensorRT, tensorrt
from trt_build.engines.profiles import Shape
from trt_build.errors import ExportError

CURRENT = "current"
_TURING = "7.5"
_SMI_SECONDS = 20.0
Shapes = tuple[Shape, Shape, Shape]
"""Smallest, best and largest."""


def capabilities(target: str, wanted: str, precision: str) -> list[str]:
    """Return the compute capabilities that are asked for, as ``["7.5", "8.9"]``.

    Args:
        target: ``tensorrt-rtx`` or ``tensorrt``.
        wanted: ``current``, or several with commas between.
        precision: in which it is to compute.

    Raises:
        UsageError: one is unknown, or the target cannot build for it.
        MissingRuntimeError: ``current`` is asked for where there is no GPU.
    """
    flavour = FLAVOURS[target]
    if wanted == CURRENT:
        wanted = _current(flavour.name, flavour.capabilities)
    names = list(dict.fromkeys(part.strip() for part in wanted.split(",")))
    for name in names:
        if name == _TURING and precision == "bf16":
            raise UsageError("--precision bf16: GPUs of compute capability 7.5 have no bfloat16: choose fp16 or int8 for them")
        if flavour.capabilities and name not in flavour.capabilities:
            raise UsageError(
                f"--compute-capability {name}: {flavour.name} builds for {', '.join(flavour.capabilities)}, or `current`; it "
                f"{flavour.note}"
            )
        if not flavour.capabilities and name != _current(flavour.name, ()):
            raise UsageError(f"--compute-capability {name}: {flavour.name} {flavour.note}: leave it out, there")
    return names


def build_engine(
    target: str,
    model: onnx.ModelProto,
    name: str,
    shapes: Shapes,
    capability: str,
    others: Mapping[str, Shapes] | None = None,
) -> tuple[bytes, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return the engine, its inputs and its outputs.

    Args:
        target: ``tensorrt-rtx`` or ``tensorrt``.
        model: in the types that it computes in.
        name: what messages call it.
        shapes: of its first input.
        capability: of the GPU that it is for.
        others: of its other inputs, by name.

    Raises:
        MissingRuntimeError: the package is not installed.
        ExportError: it cannot parse or build the model.
    """
    rt = tensorrt(target)
    api = rt.api
    rt.log.begin()
    builder = api.Builder(rt.log)
    if builder is None:
        raise ExportError(f"{rt.flavour.name} {rt.version} cannot build here: {rt.log.first()}.")
    network = builder.create_network(0)
    parser = api.OnnxParser(network, rt.log)
    if not parser.parse(model.SerializeToString()):
        raise ExportError(f"{rt.flavour.name} {rt.version} cannot read {name}{_complaint(parser)}.")
    inputs, outputs = _tensors(network)
    config = _config(rt, builder, {inputs[0].name: shapes, **(others or {})}, capability)
    with _interruptible():
        serialized = builder.build_serialized_network(network, config)
    if serialized is None:
        raise ExportError(f"{rt.flavour.name} {rt.version} cannot build {name}: {rt.log.first()}.")
    return bytes(serialized), inputs, outputs


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the block when its call returns: an exception inside a callback of TensorRT is printed and forgotten."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def _complaint(parser: Any) -> str:
    if not parser.num_errors:
        return ""
    error = parser.get_error(0)
    said = " ".join(line.strip() for line in error.desc().splitlines()[:2])
    return f" at {error.node_operator()}: {said[:300].rstrip('.')}"


def _config(rt: TensorRT, builder: Any, shapes: Mapping[str, Shapes], capability: str) -> Any:
    config = builder.create_builder_config()
    if rt.flavour.capabilities:
        config.num_compute_capabilities = 1
        config.set_compute_capability(rt.capability(capability), 0)
    profile = builder.create_optimization_profile()
    for name, (small, best, large) in shapes.items():
        profile.set_shape(name, small, best, large)
    config.add_optimization_profile(profile)
    return config


def _tensors(network: Any) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    inputs = [network.get_input(at) for at in range(network.num_inputs)]
    outputs = [network.get_output(at) for at in range(network.num_outputs)]
    described = [tuple(map(_tensor, some)) for some in (inputs, outputs)]
    return described[0], described[1]


def _tensor(tensor: Any) -> Tensor:
    names = {"FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16", "UINT8": "uint8", "INT8": "int8"}
    return Tensor(
        tensor.name,
        names.get(tensor.dtype.name, tensor.dtype.name.lower()),
        tuple(None if size < 0 else size for size in tensor.shape),
    )


def capability_here() -> str:
    """Return the compute capability of the first GPU that is here, as ``8.9``; empty: there is none.

    Raises:
        MissingRuntimeError: nvidia-smi is here and does not answer.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    query = [tool, "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=_SMI_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingRuntimeError(f"nvidia-smi does not say which GPU is here ({error})") from error
    found = done.stdout.split() if done.returncode == 0 else []
    return found[0] if found else ""


def _current(name: str, possible: tuple[str, ...]) -> str:
    """Return the compute capability of the GPU that is here."""
    named = f"say for which, as --compute-capability {','.join(possible)}"
    advice = f"{named if possible else 'build on the machine with the GPU'}; for this CPU, run `trt-build tune`"
    try:
        found = capability_here()
    except MissingRuntimeError as error:
        raise MissingRuntimeError(f"{error}: look at it, or {advice}") from error
    if not found:
        raise MissingRuntimeError(f"there is no NVIDIA GPU here that {name} could build for: {advice}")
    return found
