"""OpenVINO on the CPU, in the requested precision: by default it would use bfloat16 wherever the CPU supports it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from engine.errors import ConfigError, InferenceError, MissingRuntimeError, ModelError
from engine.models.onnx_file import read_model
from engine.runtime.closing import Closing
from engine.runtime.cores import usable_cores
from engine.sessions.failures import run_failure
from engine.sessions.openvino_requests import MOST_SHAPES, Requests
from engine.sessions.precision import Precision, ignore_fpmath_mode
from engine.sessions.spec import SessionSpec
from engine.sessions.tensors import Tensor, TensorSpec, check_inputs

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoSession(Closing):
    """A model on OpenVINO; see ``engine.sessions.session.Session``."""

    def __init__(self, spec: SessionSpec) -> None:
        openvino = _import_openvino()
        model, name, precision = spec.model, spec.title, spec.precision
        if spec.device != "cpu":
            raise ConfigError(
                f"OpenVINO computes on the CPU only, not on {spec.device}: use the device cpu, or another runtime"
            )
        # One stream for each thread that may call; a stream computes with ``threads`` threads, and an idle one costs nothing.
        cores = usable_cores()
        threads = spec.threads or cores
        streams = max(1, cores // threads)
        settings = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams * threads,
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
        }
        _check_onnx(model, name)
        try:
            graph = _core().read_model(model) if isinstance(model, bytes) else _core().read_model(str(model))
            most = 0 if spec.profile.step_px > 1 else MOST_SHAPES  # sizes are padded, so there are few
            self._requests: Requests | None = Requests(graph, lambda held: _core().compile_model(held, "CPU", settings), most)
        except RuntimeError as error:
            raise ModelError(f"{name} cannot be loaded by OpenVINO in {precision}: {_brief(error)}") from error
        if (used := precision_of(self._requests.compiled)) != precision:
            self._requests = None
            raise ConfigError(f"OpenVINO would compute {name} in {used} on this CPU, not in {precision}: choose float32")
        self._name = name
        self.runtime = f"openvino {openvino.__version__.split('-')[0]} CPU {spec.computes_in}"
        self.inputs = tuple(map(_spec, graph.inputs))
        self.outputs = tuple(map(_spec, graph.outputs))
        self.profile = spec.profile_of(self.inputs)

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        check_inputs(self._name, self.inputs, tensors)
        if (requests := self._requests) is None:
            raise InferenceError(f"{self._name} is closed")
        try:
            with requests.lent({name: tensor.shape for name, tensor in tensors.items()}) as request:
                results = request.infer(dict(tensors), share_inputs=True, share_outputs=False)
        except RuntimeError as error:
            raise run_failure(self._name, tensors, _brief(error), str(error)) from error
        return [results[index] for index in range(len(self.outputs))]

    def close(self) -> None:
        self._requests = None


def computes_in_bfloat16() -> bool:
    """Whether OpenVINO supports bfloat16 on this CPU.

    Raises:
        MissingRuntimeError: OpenVINO is not installed.
    """
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def precision_of(model: Any) -> str:
    """Return the precision that a compiled model reports, such as ``float32``."""
    hint = str(model.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    return {short: precision for precision, short in _HINTS.items()}.get(hint, hint)


@cache
def _core() -> Any:
    """Return the only ``Core`` of this process, which is never freed.

    A core loads a plugin, which gives the loading thread a signal stack for the large registers of AVX-512 and AMX. When freed,
    a plugin restores the stack that it found; if plugins are not freed in reverse order, that stack is gone and the next signal
    kills the process. So there is one plugin, and the thread that loads it, the only one whose stack is changed, ends at once.
    """
    openvino = _import_openvino()

    def load() -> Any:
        core = openvino.Core()
        core.get_versions("CPU")
        return core

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(load).result()


def _import_openvino() -> ModuleType:
    # ``import openvino`` reports usage over the network; without its telemetry package it uses a stub.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    ignore_fpmath_mode()
    try:
        import openvino
    except ImportError as error:
        raise MissingRuntimeError(f"OpenVINO is not installed: pip install 'facestream[openvino]' ({error})") from error
    return openvino  # type: ignore[no-any-return]


def _check_onnx(model: Path | bytes, name: str) -> None:
    """Refuse what is not ONNX: OpenVINO would try every format it knows, and write to stderr while it does."""
    if not read_model(model, name).HasField("graph"):
        raise ModelError(f"{name} cannot be loaded by OpenVINO: it holds no graph")


def _spec(port: Any) -> TensorSpec:
    partial = port.partial_shape
    shape = None if partial.rank.is_dynamic else tuple(None if size.is_dynamic else size.get_length() for size in partial)
    return TensorSpec(port.any_name, shape, np.dtype(port.element_type.to_dtype()))


def _brief(error: Exception) -> str:
    """Return the line that says what is wrong, without the source locations."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check "))]
    return (told or lines or ["no reason given"])[0].rstrip(".")
