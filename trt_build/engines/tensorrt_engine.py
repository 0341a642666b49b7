"""Builds engines for TensorRT or TensorRT-RTX. TensorRT-RTX needs neither a GPU nor a driver for building."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import onnx

from engine.contracts.engine_manifest import Tensor
from engine.sessions.tensorrt_api import TensorRT, tensorrt
from trt_build.engines.profiles import Shapes
from trt_build.errors import ExportError

_NO_MEMORY = re.compile("out ?of ?memory", re.IGNORECASE)


def build_engine(
    target: str,
    model: onnx.ModelProto,
    name: str,
    shapes: Mapping[str, Shapes],
    capability: str,
) -> tuple[bytes, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return the engine, its inputs and its outputs.

    Args:
        target: ``tensorrt-rtx`` or ``tensorrt``.
        model: in the types in which it computes.
        name: its name in messages.
        shapes: of its inputs, by name.
        capability: compute capability of the GPU.

    Raises:
        MissingRuntimeError: the package is not installed.
        ExportError: the model cannot be parsed or built.
    """
    rt = tensorrt(target)
    api = rt.api
    rt.log.begin()
    builder = api.Builder(rt.log)
    if builder is None:
        raise ExportError(f"{rt.flavour.name} {rt.version} cannot build here: {rt.log.first()}.")
    # TensorRT 10 chooses types itself unless it is told not to; 11 and TensorRT-RTX never do.
    network = builder.create_network(1 << int(api.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = api.OnnxParser(network, rt.log)
    if not parser.parse(model.SerializeToString()):
        raise ExportError(f"{rt.flavour.name} {rt.version} cannot read {name}{_complaint(parser)}.")
    inputs, outputs = _tensors(network)
    config = _config(rt, builder, shapes, capability)
    with _interruptible():
        serialized = builder.build_serialized_network(network, config)
    if serialized is None:
        why = rt.log.first()
        advice = ": give smaller --sizes or --batch" if _NO_MEMORY.search(why) else ""
        raise ExportError(f"{rt.flavour.name} {rt.version} cannot build {name}: {why}{advice}.")
    return bytes(serialized), inputs, outputs


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the block when its call returns: TensorRT prints and drops exceptions in its callbacks."""
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
