"""Work for tests, done in a real process: it counts, fails, dies or hangs, as its spec says."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from engine.errors import ModelError, SourceError
from engine.jobs.task import Kept, Progress, Task

HERE = f"{__name__}:"


def task(key: str, spec: str = "", *, work: str = "count", seconds: float = 1.0, recording: str = "") -> Task:
    """Return a task that does one of the functions below."""
    return Task(key, recording or key, HERE + work, spec.encode(), seconds, seconds)


def count(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Leave one file with the spec, and how many tasks this process has done; the spec is how long it takes, in seconds."""
    kept["done"] = kept.get("done", 0) + 1
    until = time.monotonic() + float(spec or b"0")
    progress(0.1)
    while time.monotonic() < until:
        time.sleep(0.01)
    (directory / "said").write_text(f"{spec.decode()} {os.getpid()} {kept['done']}")


def bad(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Fail as a recording that cannot be read."""
    raise SourceError(f"{spec.decode()} cannot be read: no video in it", "no_video")


def no_model(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Fail as where a model is missing."""
    raise ModelError("there is no model grey.onnx")


def odd(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Fail as nobody foresaw."""
    (directory / "half").write_text("half")
    raise ValueError("odd")


def once_odd(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Fail the first time; the spec is a file by which that is known."""
    mark = Path(os.fsdecode(spec))
    if not mark.exists():
        mark.touch()
        raise ValueError("odd, once")
    (directory / "said").write_text("at last")


def poison(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Take the process along."""
    (directory / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Never end."""
    while True:
        time.sleep(0.05)


def greedy(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Take so many MiB."""
    kept["held"] = bytearray(int(spec) << 20)
    for place in range(0, len(kept["held"]), 4096):
        kept["held"][place] = 1
    hang(kept, spec, directory, progress)
