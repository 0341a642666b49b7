"""Tests whether a converted network runs, in a separate process: ncnn crashes on some of pnnx's output.

python -m trt_build.engines.ncnn_trial FILE 1x1x16x16 1x1x39x39
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import InferenceError, ModelError
from engine.sessions.ncnn_session import NcnnSession
from engine.sessions.session import SessionSpec
from trt_build.engines.profiles import Shape

_SECONDS = 300.0
_REFUSED = 3


def trial(container: Path, shapes: Sequence[Shape]) -> str:
    """Return what is wrong with a network; empty if it runs on inputs of these shapes (a batch of 1)."""
    sizes = ["x".join(map(str, (1, *shape[1:]))) for shape in shapes]
    command = [sys.executable, "-m", __name__, str(container), *sizes]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it does not end within {_SECONDS:.0f} s"
    if done.returncode < 0:
        return f"it crashes ({signal.Signals(-done.returncode).name})"
    if done.returncode:
        return (done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return ""


def main(arguments: Sequence[str]) -> int:
    """Run a network on grey pictures."""
    path, *sizes = arguments
    try:
        with NcnnSession(SessionSpec(Path(path), name="the network")) as session:
            spec = session.inputs[0]
            for size in sizes:
                session.run({spec.name: np.ones([int(part) for part in size.split("x")], spec.dtype)})
    except (ModelError, InferenceError) as error:
        sys.stdout.write(f"{error}\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
