"""How long it takes to begin: ``facestream --help``, and ``facestream run`` until the first frame of a recording was looked at.

``python -m tests.bench.startup [--times 5]``. The recording has one frame, so that its end is the end of that frame: what is
told is an upper bound. Wall time is that of a machine as busy as it is; the processor time, of all processes together, is not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
_TICK = os.sysconf("SC_CLK_TCK")


class Spent(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def main() -> None:
    """Begin each a few times, after once for what is cached; tell the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    table = Table("what", "bound s", "wall s", "CPU s", box=None, title=f"best of {times}, on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        clip = one_frame(Path(folder) / "one.mp4")
        for what, bound, begin in (
            ("facestream --help", 0.15, help_page),
            ("facestream run, to the first frame", 1.5, lambda: first_frame(clip, Path(folder) / "out")),
        ):
            spent = [begin() for _ in range(times + 1)][1:]
            best = Spent(*(min(values) for values in zip(*spent, strict=True)))
            table.add_row(what, f"{bound:g}", f"{best.wall:.3f}", f"{best.cpu:.3f}")
    Console().print(table)


def help_page() -> Spent:
    """Ask for the first page."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command("--help"), cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def first_frame(clip: Path, out: Path) -> Spent:
    """Process a recording of one frame until it is said to have ended."""
    arguments = command("run", "--source", str(clip), "--out", str(out), "--overwrite", "--log-format", "json")
    start = time.perf_counter()
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            told = json.loads(line)
            if told.get("event") == "stream" and told.get("state") == "ended":
                spent = Spent(time.perf_counter() - start, cpu_of(process.pid))
                process.stderr.read()
                return spent
    raise RuntimeError(f"{' '.join(arguments)} ended with exit code {process.returncode}")


def cpu_of(pid: int) -> float:
    """Return what a process and those that it started have spent, those that are over included."""
    total, waiting = 0, [pid]
    while waiting:
        home = Path(f"/proc/{waiting.pop()}")
        try:
            spent = home.joinpath("stat").read_text().rpartition(")")[2].split()[11:15]
            children = [child for task in home.joinpath("task").iterdir() for child in (task / "children").read_text().split()]
        except OSError:  # it is over, and counted in who started it
            continue
        total += sum(map(int, spent))
        waiting += map(int, children)
    return total / _TICK


def command(*arguments: str) -> list[str]:
    """Return how the command line is started."""
    return [sys.executable, "-m", "engine", *arguments]


def one_frame(path: Path) -> Path:
    """Write a recording of one frame of 1280x720."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        picture = np.random.default_rng(0).integers(0, 255, (720, 1280, 3)).astype(np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


if __name__ == "__main__":
    main()
