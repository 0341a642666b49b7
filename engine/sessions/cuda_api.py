"""The part of CUDA that sessions need: streams, memory on host and device, copies, graphs. Every call goes through this module.

It uses ``cuda-bindings``, so torch is not needed. A call that fails raises ``CudaFault`` with CUDA's own words.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.errors import ConfigError, MissingRuntimeError
from engine.sessions.tensors import Tensor
from engine.words.numbers import count

NO_DRIVER = "there is no NVIDIA driver here, or too old a one"
_ABSENT = {
    "cudaErrorInsufficientDriver": (NO_DRIVER, "install a current one, or set the device to cpu"),
    "cudaErrorNoDevice": ("there is no NVIDIA GPU here", "set the device to cpu"),
}
"""What a machine lacks and what to do about it, by CUDA's error name."""
_SILENT = ("CUDA does not answer", "see what nvidia-smi says")


class CudaFault(Exception):
    """An error that CUDA reported, such as ``cudaErrorMemoryAllocation: out of memory``."""


class Cuda:
    """One GPU. CUDA's current device is set for each thread: call ``use`` first in every thread."""

    def __init__(self, device: str, extra: str) -> None:
        """Find the GPU.

        Args:
            device: such as ``cuda:0``.
            extra: our extra that installs what is missing.

        Raises:
            MissingRuntimeError: there is no package, no driver or no GPU.
            ConfigError: there is no such device.
        """
        kind, _, number = device.partition(":")
        if kind != "cuda" or not number.isdigit():
            raise ConfigError(f"there is no GPU {device!r}: use cuda:0 for the first one")
        try:
            from cuda.bindings import runtime
        except ImportError as error:
            raise MissingRuntimeError(f"cuda-bindings is not installed: pip install 'facestream[{extra}]' ({error})") from error
        self._api: Any = runtime
        self._number = int(number)
        try:
            devices = self._call("cudaGetDeviceCount")
        except CudaFault as error:
            what, remedy = _ABSENT.get(str(error).partition(":")[0], _SILENT)
            raise MissingRuntimeError(f"{what} ({error}): {remedy}") from error
        if self._number >= devices:
            raise ConfigError(f"there is no {device}: this machine has {count(devices, 'GPU')}, from cuda:0 on")

    def use(self) -> None:
        """Make this GPU the current device of this thread."""
        self._call("cudaSetDevice", self._number)

    def stream(self) -> int:
        """Return a new stream that does not wait for others."""
        return int(self._call("cudaStreamCreateWithFlags", self._api.cudaStreamNonBlocking))

    def pinned(self, size: int) -> Tensor:
        """Return ``size`` bytes of pinned host memory, uint8; free them with ``free_pinned``."""
        address = int(self._call("cudaHostAlloc", size, self._api.cudaHostAllocDefault))
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def free_pinned(self, memory: Tensor) -> None:
        """Free pinned memory; its array must not be used afterwards."""
        self._call("cudaFreeHost", memory.ctypes.data)

    def allocate(self, size: int, stream: int) -> int:
        """Allocate ``size`` bytes on the GPU and return their address."""
        return int(self._call("cudaMallocAsync", size, stream))

    def free(self, address: int, stream: int) -> None:
        """Free memory on the GPU."""
        self._call("cudaFreeAsync", address, stream)

    def upload(self, address: int, memory: Tensor, size: int, stream: int) -> None:
        """Begin to copy the first ``size`` bytes of pinned memory to the GPU."""
        kind = self._api.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", address, memory.ctypes.data, size, kind, stream)

    def download(self, memory: Tensor, address: int, size: int, stream: int) -> None:
        """Begin to copy ``size`` bytes from the GPU to pinned memory."""
        kind = self._api.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", memory.ctypes.data, address, size, kind, stream)

    def record(self, stream: int, work: Callable[[], bool]) -> Any:
        """Return a graph of the work that ``work`` puts on the stream, without executing it; free it with ``drop``."""
        mode = self._api.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)
        try:
            began = work()
        finally:
            graph = self._call("cudaStreamEndCapture", stream)
        try:
            if not began:
                raise CudaFault("cudaErrorStreamCaptureUnsupported: the work did not begin")
            return self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)

    def launch(self, graph: Any, stream: int) -> None:
        """Begin to execute a graph."""
        self._call("cudaGraphLaunch", graph, stream)

    def drop(self, graph: Any) -> None:
        """Free a graph."""
        self._call("cudaGraphExecDestroy", graph)

    def wait(self, stream: int) -> None:
        """Wait until all work on a stream is done."""
        self._call("cudaStreamSynchronize", stream)

    def destroy(self, stream: int) -> None:
        """Free a stream."""
        self._call("cudaStreamDestroy", stream)

    def _call(self, name: str, *arguments: Any) -> Any:
        status, *found = getattr(self._api, name)(*arguments)
        if int(status):
            words = self._api.cudaGetErrorString(status)[1]
            raise CudaFault(f"{status.name}: {words.decode() if isinstance(words, bytes) else words}")
        return found[0] if found else None
