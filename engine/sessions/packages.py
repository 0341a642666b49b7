"""Which version of a package is installed, whichever distribution provides its module."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

_SAME = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "onnxruntime-gpu": ("onnxruntime-gpu", "onnxruntime"),
    "onnxruntime-ep-nv-tensorrt-rtx": ("onnxruntime-ep-nv-tensorrt-rtx-cu12", "onnxruntime-ep-nv-tensorrt-rtx-cu13"),
}
"""Distributions that provide the same module, the likeliest first."""


def installed(package: str) -> str:
    """Return the version of a package, or of another that provides the same module; empty: none is installed."""
    for name in _SAME.get(package, (package,)):
        with suppress(PackageNotFoundError):
            return version(name)
    return ""
