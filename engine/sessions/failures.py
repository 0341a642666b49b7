"""What kind of failure a runtime reports: its exceptions have no types that tell, only words."""

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
"""After these a process gets nothing more out of its device."""
_MEMORY = re.compile(
    r"out of memory|out_of_memory|failed to allocate|bad_alloc|cannot allocate|resource_exhausted|alloc_failed", re.IGNORECASE
)


def is_memory_failure(words: str) -> bool:
    """Whether a runtime says that there was no memory."""
    return _MEMORY.search(words) is not None


def run_failure(model: str, tensors: Mapping[str, Tensor], words: str, whole: str = "") -> FacestreamError:
    """Return what to raise where a run failed.

    Args:
        model: what messages call it.
        tensors: what it was given.
        words: the runtime's, one line of them.
        whole: all of them.
    """
    shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in tensors.items())
    whole = whole or words
    if _LOST.search(whole):
        return DeviceLostError(f"the device that computes {model} is lost: {words}")
    kind = DeviceMemoryError if is_memory_failure(whole) else InferenceError
    return kind(f"{model} failed on {shapes}: {words}")
