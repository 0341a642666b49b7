"""In what numbers a network computes. Whoever opens it says so: neither the processor nor the environment decides.

Embedders compute in float32: their vectors are kept in galleries and compared with those of other machines, and in bfloat16 the
cosine of two faces moves by up to 0.009, where a margin of 0.01 tells people apart. Detectors compute in float32 too, unless
the configuration asks for less; generators as well, unless the user has built an engine of less that passed its gate (see
``engine.super_resolve.wish``). ``tests/sessions/test_precision.py`` bounds what that changes.
"""

from __future__ import annotations

import os
from typing import Literal

Precision = Literal["float32", "bfloat16"]
"""What a runtime can be asked for."""
Computed = Literal["float32", "float16", "bfloat16", "float8", "int8"]
"""What a model is computed in, engines among them: their own graph may be cast or quantised."""


def ignore_fpmath_mode() -> None:
    """Take from oneDNN, with which OpenVINO and torch compute, an environment that lets float32 networks compute in less.

    Such a network still calls itself float32. The variable is read when OpenVINO and torch are imported: call this before.
    """
    os.environ["ONEDNN_DEFAULT_FPMATH_MODE"] = "STRICT"
