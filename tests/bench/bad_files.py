"""What bad files cost the good ones. Run: python -m tests.bench.bad_files [--rounds 3] [--frames 60] [--json FILE]

24 recordings with a face are processed alone, and with 6 bad ones among them: an empty one, a text, one without its index, one
without pictures, one that every read of fails, and one on which the decoder crashes. Whole commands are timed, in turns;
where others use the machine, the processor's time tells more than the clock's.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.e2e.bad_files import BAD, environment, make_batch

CONSOLE = Console()
_BAD = [name for name in BAD if name != "raises"]
"""Of those that break the decoder, the one that costs a process."""
_GOOD = 24


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns; medians are shown")
    parser.add_argument("--frames", type=int, default=60, help="of each good recording")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds: dict[str, list[tuple[float, float]]] = {"good": [], "mixed": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = make_batch(folder / "good", _GOOD, options.frames, bad=())
        make_batch(folder / "mixed", _GOOD, options.frames, bad=_BAD)
        for turn in range(options.rounds):
            for kind in seconds:
                times, ended, failed = _run(folder / kind, folder / f"{kind}-{turn}")
                assert ended == set(good), f"{kind}: {len(ended)} of {_GOOD} were read"
                assert failed == (set(_BAD) if kind == "mixed" else set()), failed
                seconds[kind].append(times)
    ratios = {}
    for place, what in enumerate(("wall clock", "processor")):
        alone, mixed = (statistics.median(times[place] for times in seconds[kind]) for kind in ("good", "mixed"))
        ratios[what] = mixed / alone
        CONSOLE.print(f"{what}: {_GOOD} good {alone:.1f} s, with {len(_BAD)} bad ones {mixed:.1f} s, ratio {mixed / alone:.2f}")
    if options.json:
        options.json.write_text(json.dumps({"seconds": seconds, "ratios": ratios}, indent=2) + "\n", encoding="utf-8")


def _run(source: Path, out: Path) -> tuple[tuple[float, float], set[str], set[str]]:
    """Return the seconds of one command, by the clock and of all its processes, and the streams that ended and that failed."""
    command = [sys.executable, "-m", "engine", "run", "-q", "--source", str(source), "--out", str(out)]
    before, begun = _processor_seconds(), time.monotonic()
    subprocess.run(command, capture_output=True, check=False, env=environment())
    times = time.monotonic() - begun, _processor_seconds() - before
    last = [json.loads(line) for line in (out / "stream.jsonl").read_text(encoding="utf-8").splitlines()]
    ended, failed = ({line["stream"] for line in last if line["state"] == state} for state in ("ended", "failed"))
    return times, ended, failed


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
