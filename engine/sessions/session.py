"""One way to run a model file, whatever the runtime.

with open_session(SessionSpec(path)) as session:
    outputs = session.run({"input": tensor})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from msgspec.structs import replace

from engine.contracts.profile import Profile
from engine.errors import ConfigError, InferenceError, ModelError
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX
from engine.sessions.precision import Precision
from engine.sessions.spec import SessionSpec
from engine.sessions.subgraph import part_for
from engine.sessions.tensors import Tensor, TensorSpec

__all__ = [
    "AUTO",
    "RUNTIMES",
    "Precision",
    "Session",
    "SessionSpec",
    "Tensor",
    "TensorSpec",
    "open_elsewhere",
    "open_session",
    "trying",
]

AUTO = "onnxruntime"
"""The runtime that ``auto`` stands for if nothing was measured, see ``engine.sessions.fastest``."""


class Session(Protocol):
    """A loaded model.

    ``run`` may be called from several threads at once. A session cannot be sent to another process: open one in each.
    """

    runtime: str
    """Runtime, version, device and precision, such as ``onnxruntime 1.31.1 CPUExecutionProvider float32``."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    profile: Profile
    """Which batches are efficient here."""

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the outputs, in the order of ``outputs``; the arrays belong to the caller.

        Args:
            tensors: one C-contiguous array for each of ``inputs``, by name.

        Raises:
            InferenceError: a tensor does not fit (the message says what was given and what is expected), or the model fails.
            DeviceMemoryError: the device has no memory for so large a batch.
            DeviceLostError: the device is lost, and with it every session on it.
        """
        ...

    def close(self) -> None:
        """Free the model; ``run`` must not be called after it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_session(spec: SessionSpec) -> Session:
    """Load an ONNX model.

    Raises:
        ModelError: the file is missing, corrupt, has no such output, or uses operators that the runtime does not support.
        MissingRuntimeError: the runtime is not installed; the message says how to install it.
        ConfigError: there is no such runtime, or it does not support this device or this precision here.
    """
    if (elsewhere := _elsewhere.get(spec.device)) is not None:
        return elsewhere(spec)
    runtime = AUTO if spec.runtime == "auto" else spec.runtime
    if runtime not in RUNTIMES and runtime not in COMPILED:
        raise ConfigError(f"unknown runtime {runtime!r}: use one of auto, {', '.join(RUNTIMES)}")
    if isinstance(spec.model, Path) and not spec.model.is_file():
        raise ModelError(f"there is no model file {spec.model}: check the path, or fetch it with `facestream models pull`")
    if spec.output and runtime in RUNTIMES:
        spec = replace(spec, name=spec.title, model=part_for(spec.output, spec.model, spec.title))
    session = (RUNTIMES | COMPILED)[runtime](spec)
    if session.profile.best > 1:  # which items share a batch depends on timing, which can change the last digits
        session.runtime += f" (up to {session.profile.best} at once)"
    return session


_elsewhere: dict[str, Callable[[SessionSpec], Session]] = {}


def open_elsewhere(device: str, open: Callable[[SessionSpec], Session] | None) -> None:
    """From now on let ``open`` open all models of a device in this process, because another process owns it.
    None: undo this.
    """
    if open is None:
        _elsewhere.pop(device, None)
    else:
        _elsewhere[device] = open


@contextmanager
def trying(session: Session) -> Iterator[None]:
    """Close a model if trying it out fails, and report it as one that cannot be opened.

    Raises:
        ModelError: it fails on the input that it was tried with.
    """
    try:
        yield
    except BaseException as error:
        session.close()
        if isinstance(error, InferenceError):
            raise ModelError(str(error)) from error
        raise


def _onnxruntime(spec: SessionSpec) -> Session:
    from engine.sessions.onnxruntime_session import OnnxRuntimeSession

    return OnnxRuntimeSession(spec)


def _openvino(spec: SessionSpec) -> Session:
    from engine.sessions.openvino_session import OpenVinoSession

    return OpenVinoSession(spec)


def _ncnn(spec: SessionSpec) -> Session:
    from engine.sessions.ncnn_session import NcnnSession

    return NcnnSession(spec)


def _aotinductor(spec: SessionSpec) -> Session:
    from engine.sessions.aotinductor_session import AotInductorSession

    return AotInductorSession(spec)


def _tensorrt(spec: SessionSpec) -> Session:
    from engine.sessions.tensorrt_session import TensorRtSession

    return TensorRtSession(spec)


RUNTIMES: dict[str, Callable[[SessionSpec], Session]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
}
"""Every runtime by name; each is imported when it is first used."""

COMPILED: dict[str, Callable[[SessionSpec], Session]] = {
    "ncnn": _ncnn,
    "tensorrt-rtx": _tensorrt,
    "tensorrt": _tensorrt,
    "aotinductor": _aotinductor,
    ON_CUDA: _onnxruntime,
    ON_RTX: _onnxruntime,
}
"""Runtimes that open only files made for them by `trt-build build`."""
