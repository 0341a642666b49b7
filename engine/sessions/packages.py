"""Which version of a package is installed, whatever the name under which its module comes."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

_SAME = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "onnxruntime-gpu": ("onnxruntime-gpu", "onnxruntime"),
    "onnxruntime-ep-nv-tensorrt-rtx": ("onnxruntime-ep-nv-tensorrt-rtx-cu12", "onnxruntime-ep-nv-tensorrt-rtx-cu13"),
}
"""Packages that bring the same module, the likeliest first."""


def installed(package: str) -> str:
    """Return the version of a package, or of another that brings the same module; empty: none of them is here."""
    for name in _SAME.get(package, (package,)):
        with suppress(PackageNotFoundError):
            return version(name)
    return ""
