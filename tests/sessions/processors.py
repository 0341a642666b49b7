"""Other kinds of processor, as far as this one can be told to be one; and what this one can compute in.

OpenVINO and torch compute with oneDNN, which obeys its environment; ONNX Runtime and dlib ask the processor and nobody else.
"""

from __future__ import annotations

import importlib.util
import os

import pytest

from engine.sessions.session import RUNTIMES

IMITATIONS = {
    "as it is": {},
    "without bfloat16": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "without AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    "bfloat16 wherever it may": {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "DNNL_DEFAULT_FPMATH_MODE": "BF16"},
}
"""The environment of a process that shall take itself for one on another processor."""

IN_FLOAT32 = [(runtime, "float32") for runtime in RUNTIMES]
EVERYWHERE = [*IN_FLOAT32, ("openvino", "bfloat16")]
"""Every runtime in every precision that it has."""


def need(runtime: str, precision: str = "float32") -> None:
    """Skip, with the reason, where this machine cannot do it. Nothing is imported for it: OpenVINO reports its use over the
    network, and goes on with that in this process, unless it is imported as the product does it."""
    if importlib.util.find_spec(runtime) is None:
        pytest.skip(f"needs {runtime}")
    if precision == "bfloat16":
        from engine.sessions.openvino_session import computes_in_bfloat16

        if os.environ.get("ONEDNN_MAX_CPU_ISA") or not computes_in_bfloat16():
            pytest.skip("bfloat16 is not on this CPU, or it is forbidden by ONEDNN_MAX_CPU_ISA")
