"""Which processor this is: what was measured or compared on one holds for no other."""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

_CPUINFO = ("model name", "flags")


@cache
def processor_here() -> str:
    """Return its name, and what its set of instructions hashes to: in a virtual machine the name may say little."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name, flags = (next(line.partition(":")[2].strip() for line in lines if line.startswith(key)) for key in _CPUINFO)
        return f"{name} {hashlib.sha256(flags.encode()).hexdigest()[:8]}"
    return platform.processor() or platform.machine()
