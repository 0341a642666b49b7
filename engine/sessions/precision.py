"""The precision in which a network computes. The caller that opens it decides, not the processor or the environment.

Embedders compute in float32: their vectors are kept in galleries and compared with those of other machines, and in bfloat16 the
cosine of two faces changes by up to 0.009, while a margin of 0.01 tells people apart. Detectors compute in float32 too, unless
the configuration asks for less; so do generators, unless the user has built an engine of lower precision that passed its gate
(see ``engine.super_resolve.wish``). ``tests/sessions/test_precision.py`` bounds the differences.
"""

from __future__ import annotations

import os
from typing import Literal

Precision = Literal["float32", "bfloat16"]
"""Precisions that a runtime can be asked for."""
Computed = Literal["float32", "float16", "bfloat16", "float8", "int8"]
"""Precisions of models and engines; an engine's own graph may be cast or quantised."""


def ignore_fpmath_mode() -> None:
    """Unset the environment variable that lets oneDNN, which OpenVINO and torch use, compute float32 networks in lower
    precision.

    Such a network still reports float32. The variable is read when OpenVINO and torch are imported: call this first.
    """
    os.environ["ONEDNN_DEFAULT_FPMATH_MODE"] = "STRICT"
