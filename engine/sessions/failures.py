"""Which kind of failure a runtime reports: the types of its exceptions do not tell, only their messages do."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.errors import DeviceLostError, DeviceMemoryError, FacestreamError, InferenceError
from engine.sessions.tensors import Tensor

_LOST = re.compile(
    r"device.{0,3}(is )?lost|illegal memory access|unspecified launch failure|device-side assert|misaligned address"
    r"|ecc (error|uncorrectable)|fallen off the bus|cuda(_error| error| failure)\D*(700|702|710|719|999|unknown)",
    re.IGNORECASE,
)
"""After one of these a process cannot use its device any more."""
_MEMORY = re.compile(
    r"out of memory|out_of_memory|failed to allocate|bad_alloc|cannot allocate|resource_exhausted|alloc_failed", re.IGNORECASE
)


def is_memory_failure(words: str) -> bool:
    """Whether a runtime's message says that memory ran out."""
    return _MEMORY.search(words) is not None


def run_failure(model: str, tensors: Mapping[str, Tensor], words: str, whole: str = "") -> FacestreamError:
    """Return the error to raise when a run failed.

    Args:
        model: its name in messages.
        tensors: its inputs.
        words: one line of the runtime's message.
        whole: the whole message.
    """
    shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in tensors.items())
    whole = whole or words
    if _LOST.search(whole):
        return DeviceLostError(f"the device that computes {model} is lost: {words}")
    kind = DeviceMemoryError if is_memory_failure(whole) else InferenceError
    return kind(f"{model} failed on {shapes}: {words}")
