"""The GPUs that an engine is built for, by the command line and this machine."""

from __future__ import annotations

import re
import shutil
import subprocess

from engine.errors import MissingRuntimeError, UsageError
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX
from engine.sessions.tensorrt_api import FLAVOURS

CURRENT, CPU = "current", "cpu"
AOTINDUCTOR = "aotinductor"
_OTHERS: dict[str, tuple[str, tuple[str, ...], str]] = {
    AOTINDUCTOR: ("AOTInductor", (), "compiles on the GPU that the engine is for"),
    ON_CUDA: ("ONNX Runtime with CUDA", (), "is compared with its model on the GPU that it is for"),
    ON_RTX: (
        "ONNX Runtime with TensorRT-RTX", ("8.6", "8.9", "12.0", "12.1"),
        "knows neither Turing nor 8.0, 9.0 and 10.0 (A100, H100, H200, B200)",
    ),
}  # fmt: skip
"""Name of a target, compute capabilities that can be named for it, and a remark; for TensorRT see ``FLAVOURS``."""
_SMI_SECONDS = 20.0
_CAPABILITY = re.compile(r"\d+\.\d+")
_LEAST = {"bf16": ("8.0", "bfloat16"), "fp8": ("8.9", "8-bit floating point")}
"""First compute capability with a precision, and the name of that precision."""


def capabilities(target: str, wanted: str, precision: str) -> list[str]:
    """Return the requested compute capabilities, such as ``["7.5", "8.9"]``; an empty string stands for the CPU.

    Args:
        target: a target that supports GPUs.
        wanted: ``current``, capabilities separated by commas, or ``cpu``.
        precision: of the engine.

    Raises:
        UsageError: one is unknown, or the target cannot build for it.
        MissingRuntimeError: ``current`` is requested without a GPU.
    """
    name, possible, note = _builder(target)
    if wanted == CPU and target == AOTINDUCTOR:
        return [""]
    option = "--compute-capability {}"
    if wanted == CURRENT:
        wanted, option = _current(target), "the GPU here is of compute capability {}"
    found = list(dict.fromkeys(part.strip() for part in wanted.split(",")))
    if not all(found):
        raise UsageError(f"--compute-capability {wanted!r} leaves one out: give them with commas between, as 7.5,8.9")
    for one in found:
        if possible and one not in possible:
            raise UsageError(f"{option.format(one)}: {name} builds for {', '.join(possible)}, or `current`; it {note}")
        if not possible and one != _current(target):
            raise UsageError(f"--compute-capability {one}: {name} {note}: leave it out, there")
        least, what = _LEAST.get(precision, ("0.0", ""))
        if _number(one) < _number(least):
            raise UsageError(
                f"--precision {precision}: GPUs of compute capability {one} have no {what}: choose fp16 or int8 for them"
            )
    return found


def capability_here() -> str:
    """Return the compute capability of this machine's first GPU, such as ``8.9``; empty: there is none.

    Raises:
        MissingRuntimeError: nvidia-smi is installed but does not answer, or names none, for instance because the driver that is
            loaded is not the one that is installed.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    query = [tool, "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=_SMI_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingRuntimeError(f"nvidia-smi does not say which GPU is here ({error})") from error
    said = (done.stdout.strip() or done.stderr.strip()).splitlines()
    if done.returncode == 0 and not said:
        return ""
    if done.returncode or not _CAPABILITY.fullmatch(said[0].strip()):
        told = said[0].strip()[:120] if said else f"exit code {done.returncode}"
        raise MissingRuntimeError(f"nvidia-smi does not say which GPU is here ({told})")
    return said[0].strip()


def _builder(target: str) -> tuple[str, tuple[str, ...], str]:
    """Return the name of a target, the compute capabilities that can be named for it, and a remark."""
    if target in FLAVOURS:
        return FLAVOURS[target].name, FLAVOURS[target].capabilities, FLAVOURS[target].note
    return _OTHERS[target]


def _current(target: str) -> str:
    """Return the compute capability of this machine's GPU."""
    name, possible, _ = _builder(target)
    named = f"say for which, as --compute-capability {','.join(possible)}" if possible else "build on the machine with the GPU"
    for_cpu = f"give --compute-capability {CPU}" if target == AOTINDUCTOR else "run `trt-build tune`"
    advice = f"{named}; for this CPU, {for_cpu}"
    try:
        found = capability_here()
    except MissingRuntimeError as error:
        raise MissingRuntimeError(f"{error}: look at it, or {advice}") from error
    if not found:
        raise MissingRuntimeError(f"there is no NVIDIA GPU here that {name} could build for: {advice}")
    return found


def _number(capability: str) -> tuple[int, ...]:
    return tuple(int(part) for part in capability.split(".") if part.isdigit())
