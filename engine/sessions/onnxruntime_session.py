"""ONNX Runtime, which computes a float32 network in float32: on every CPU, and on GPUs for which it has a provider."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ConfigError, InferenceError, ModelError
from engine.runtime.closing import Closing
from engine.sessions.failures import run_failure
from engine.sessions.onnxruntime_providers import ON_RTX, cuda_is_missing, held_settings, provider_for
from engine.sessions.spec import SessionSpec
from engine.sessions.tensors import Tensor, TensorSpec, check_inputs

_FATAL_ONLY = 4  # everything that the runtime writes to stderr is also raised as an exception


class OnnxRuntimeSession(Closing):
    """A model on ONNX Runtime; see ``engine.sessions.session.Session``."""

    def __init__(self, spec: SessionSpec) -> None:
        name = spec.title
        if spec.precision != "float32":
            raise ConfigError(f"ONNX Runtime cannot compute {name} in {spec.precision}: use the runtime openvino, or float32")
        runtime = "onnxruntime" if spec.runtime == "auto" else spec.runtime
        provider = provider_for(runtime, spec.device)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = spec.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        # Two spinning threads on busy cores halved the throughput.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        held = held_settings(spec.model, name) | _kept(spec.model) if runtime == ON_RTX else {}
        try:
            self._session: Any = provider.open(spec.model, options, held)
        except Exception as error:  # the runtime's exceptions have no base class of their own
            raise ModelError(f"{name} cannot be loaded by ONNX Runtime: {_brief(error)}") from error
        if (used := self._session.get_providers()[0]) != provider.name:
            raise cuda_is_missing(name, spec.device, used)
        self._name = name
        self.runtime = f"{runtime} {onnxruntime.__version__} {used} {spec.computes_in}"
        self.inputs = tuple(map(_spec, self._session.get_inputs()))
        self.outputs = tuple(map(_spec, self._session.get_outputs()))
        self.profile = spec.profile_of(self.inputs)

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        check_inputs(self._name, self.inputs, tensors)
        session = self._session
        if session is None:
            raise InferenceError(f"{self._name} is closed")
        try:
            outputs: list[Tensor] = session.run(None, dict(tensors))
        except Exception as error:
            raise run_failure(self._name, tensors, _brief(error), str(error)) from error
        return outputs

    def close(self) -> None:
        self._session = None


_DTYPES = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8, "tensor(int32)": np.int32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_,
}  # fmt: skip


def _spec(node: Any) -> TensorSpec:
    if node.type not in _DTYPES:
        raise ModelError(f"the model's tensor {node.name} is of type {node.type}, expected one of {', '.join(_DTYPES)}")
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, shape, np.dtype(_DTYPES[node.type]))


def _kept(model: Path | bytes) -> dict[str, str]:
    """Return the setting for TensorRT-RTX's cache of compiled kernels, a folder beside the engine; no setting if the folder
    cannot be created, as no model could be opened with it.
    """
    if isinstance(model, bytes):
        return {}
    folder = model.with_name(f"{model.name}.cache")
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
    return {"nv_runtime_cache_path": str(folder)} if os.access(folder, os.W_OK) and folder.is_dir() else {}


def _brief(error: Exception) -> str:
    """Return the last part of a message such as ``[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Failed to load ...``."""
    return str(error).split(" : ")[-1].strip().splitlines()[0].rstrip(".")
