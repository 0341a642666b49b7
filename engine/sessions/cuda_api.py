"""CUDA, as far as a session needs it: a stream, memory on both sides, copies between, graphs. All of it goes through here.

By ``cuda-bindings``, so that no torch is needed. A call that fails raises ``CudaFault`` with CUDA's own words.
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
"""What a machine lacks, and what to do, by CUDA's word for it."""
_SILENT = ("CUDA does not answer", "see what nvidia-smi says")


class CudaFault(Exception):
    """What CUDA said, as ``cudaErrorMemoryAllocation: out of memory``."""


class Cuda:
    """One GPU. CUDA's current device belongs to a thread: ``use`` comes first in each."""

    def __init__(self, device: str, extra: str) -> None:
        """Find it.

        Args:
            device: as ``cuda:0``.
            extra: of our own package, which installs what is missing.

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
        """Make it the current device of this thread."""
        self._call("cudaSetDevice", self._number)

    def stream(self) -> int:
        """Return a new stream, which waits for no other."""
        return int(self._call("cudaStreamCreateWithFlags", self._api.cudaStreamNonBlocking))

    def pinned(self, size: int) -> Tensor:
        """Return so many bytes of host memory, uint8, from which copies need no detour; to be freed with ``free_pinned``."""
        address = int(self._call("cudaHostAlloc", size, self._api.cudaHostAllocDefault))
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def free_pinned(self, memory: Tensor) -> None:
        """Free it; its array must not be used after."""
        self._call("cudaFreeHost", memory.ctypes.data)

    def allocate(self, size: int, stream: int) -> int:
        """Return the address of so many bytes on the GPU."""
        return int(self._call("cudaMallocAsync", size, stream))

    def free(self, address: int, stream: int) -> None:
        """Free what is at an address."""
        self._call("cudaFreeAsync", address, stream)

    def upload(self, address: int, memory: Tensor, size: int, stream: int) -> None:
        """Begin to copy the first bytes of pinned memory to the GPU."""
        kind = self._api.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", address, memory.ctypes.data, size, kind, stream)

    def download(self, memory: Tensor, address: int, size: int, stream: int) -> None:
        """Begin to copy bytes from the GPU to pinned memory."""
        kind = self._api.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", memory.ctypes.data, address, size, kind, stream)

    def record(self, stream: int, work: Callable[[], bool]) -> Any:
        """Return a graph of what work begins on the stream, which itself does nothing yet; to be freed with ``drop``."""
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
        """Begin what a graph holds."""
        self._call("cudaGraphLaunch", graph, stream)

    def drop(self, graph: Any) -> None:
        """Free a graph."""
        self._call("cudaGraphExecDestroy", graph)

    def wait(self, stream: int) -> None:
        """Wait until all that was begun is done."""
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
