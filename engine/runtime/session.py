"""One way to run a model file, whatever the runtime.

with open_session(path) as session:
    outputs = session.run({"input": tensor})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from engine.errors import ConfigError, ModelError
from engine.runtime.precision import Precision
from engine.runtime.subgraph import part_for
from engine.runtime.tensors import Tensor, TensorSpec

__all__ = ["AUTO", "RUNTIMES", "Precision", "Session", "Tensor", "TensorSpec", "open_session"]

AUTO = "onnxruntime"
"""The runtime that ``auto`` stands for, on every machine."""


class Session(Protocol):
    """A loaded model.

    ``run`` may be called from several threads at once. A session cannot cross a process: open one in each.
    """

    runtime: str
    """Runtime, version, device and precision, as ``onnxruntime 1.31.1 CPUExecutionProvider float32``."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    prefers_batch: bool
    """False on a CPU, where a batch of 8 costs as much as 8 runs (measured -7 to +7 %): run items as they come."""

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the outputs, in the order of ``outputs``; the arrays belong to the caller.

        Args:
            tensors: one C-contiguous array for each of ``inputs``, by name.

        Raises:
            ModelError: a tensor does not fit (the message names it, what was got and what is expected), or the model fails.
        """
        ...

    def close(self) -> None:
        """Free the model; ``run`` must not be called after it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_session(
    model: Path | bytes,
    runtime: str = "auto",
    threads: int = 1,
    name: str = "",
    output: str = "",
    precision: Precision = "float32",
) -> Session:
    """Load an ONNX model.

    Args:
        model: the file, or its content.
        runtime: ``auto``, ``onnxruntime``, ``openvino`` or, for what was built for it, ``ncnn``.
        threads: compute threads of one ``run``; one per worker is best where workers fill the cores.
        name: what messages call the model; the file's path by default.
        output: the one output that is wanted, and all that is computed; every output by default.
        precision: what it computes in; inputs and outputs keep their types.

    Raises:
        ModelError: the file is missing, corrupt, has no such output, or uses what the runtime does not know.
        MissingRuntimeError: the runtime is not installed; the message says how to install it.
        ConfigError: no runtime has this name, or it cannot compute in this precision here.
    """
    if runtime == "auto":
        runtime = AUTO
    if runtime not in RUNTIMES and runtime not in COMPILED:
        raise ConfigError(f"unknown runtime {runtime!r}: use one of auto, {', '.join(RUNTIMES)}")
    if isinstance(model, Path):
        name = name or str(model)
        if not model.is_file():
            raise ModelError(f"there is no model file {model}: check the path, or fetch it with `facestream models pull`")
    name = name or "the model"
    if runtime in COMPILED:
        return COMPILED[runtime](model, threads, name, precision)
    return RUNTIMES[runtime](part_for(output, model, name) if output else model, threads, name, precision)


def _onnxruntime(model: Path | bytes, threads: int, name: str, precision: Precision) -> Session:
    from engine.runtime.onnxruntime_session import OnnxRuntimeSession

    return OnnxRuntimeSession(model, threads, name, precision)


def _openvino(model: Path | bytes, threads: int, name: str, precision: Precision) -> Session:
    from engine.runtime.openvino_session import OpenVinoSession

    return OpenVinoSession(model, threads, name, precision)


def _ncnn(model: Path | bytes, threads: int, name: str, precision: Precision) -> Session:
    from engine.runtime.ncnn_session import NcnnSession

    return NcnnSession(model, threads, name, precision)


RUNTIMES: dict[str, Callable[[Path | bytes, int, str, Precision], Session]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
}
"""Every runtime that opens ONNX files, by name; each is imported when it is first used."""

COMPILED: dict[str, Callable[[Path | bytes, int, str, Precision], Session]] = {"ncnn": _ncnn}
"""Those that open only what `trt-build build` has made for them."""
