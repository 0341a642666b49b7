"""Identifies this machine's processor: measurements and comparisons made on one do not hold for another."""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def processor_here() -> str:
    """Return its name and a hash of its instruction set: in a virtual machine the name may say little."""
    lines: list[str] = []
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    name = found.get("model name") or found.get("CPU part") or platform.processor() or platform.machine()
    flags = found.get("flags") or found.get("Features")  # on x86 and on ARM
    return f"{name} {hashlib.sha256(flags.encode()).hexdigest()[:8]}" if flags else name


@cache
def machine_here() -> str:
    """Return the processor, the amount of memory and the kernel version."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{processor_here()}, {memory:.0f} GiB, {platform.release()}"


@cache
def gpus_here() -> str:
    """Return the NVIDIA GPUs and their driver as the kernel lists them; empty if it lists none."""
    driver = Path("/proc/driver/nvidia")
    lines: list[str] = []
    with suppress(OSError):
        lines = (driver / "version").read_text().splitlines()[:1]
        for gpu in sorted((driver / "gpus").iterdir()):
            lines += [line for line in (gpu / "information").read_text().splitlines() if line.startswith("Model")]
    return ", ".join(" ".join(line.split()) for line in lines)
