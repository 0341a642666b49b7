"""What the whole pictures beside faces cost a run over recordings: CPU seconds with and without them, in turns.

python -m tests.bench.scenes clip.mp4 … [--rounds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.processes import PROC, marked

_LOOK_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(sources: list[str], folder: Path, scenes: bool) -> float:
    """Run once, and return user and system seconds of all its processes, as far as the last look at each."""
    config = folder / "config.yaml"
    config.write_text(f"output:\n  scenes: {str(scenes).lower()}\n")
    command = [sys.executable, "-m", "engine", "run", str(config), "--out", str(folder / "out"), "--overwrite", "--quiet"]
    for source in sources:
        command += ["--source", source]
    mark = f"BENCH_SCENES={os.getpid()}"
    started = subprocess.Popen(
        command, env=os.environ | dict([mark.split("=")]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    used: dict[int, float] = {}
    while started.poll() is None:
        for pid in marked(mark):
            with contextlib.suppress(OSError):
                fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
                used[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
        time.sleep(_LOOK_SECONDS)
    if started.returncode:
        raise SystemExit(f"the run failed with {started.returncode}")
    return sum(used.values())


def main() -> None:
    """Print each round, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    found: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as name:
        for turn in range(asked.rounds):
            for scenes in (False, True) if turn % 2 == 0 else (True, False):
                found[scenes].append(cpu_seconds(asked.sources, Path(name), scenes))
            sys.stdout.write(f"round {turn + 1}: {found[False][-1]:.2f} s without, {found[True][-1]:.2f} s with\n")
            sys.stdout.flush()
    without, with_scenes = (statistics.median(found[scenes]) for scenes in (False, True))
    more = 100 * (with_scenes / without - 1)
    sys.stdout.write(f"median: {without:.2f} s without, {with_scenes:.2f} s with: {more:+.1f} %\n")


if __name__ == "__main__":
    main()
