"""Does what a job has done once more, in this process alone: ``python -m tests.bench.archive_alone JOB DIR``; prints seconds.

The models are opened within that time, as a worker of the job opened them within its own.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import msgspec

from engine.config import Config
from engine.contracts.recording import Recording
from engine.jobs.chain import process_segment
from engine.jobs.plan import plan_recording
from engine.jobs.steps import PLAN, read_plan
from engine.jobs.warm import Warm


def main() -> None:
    """Plan and process each recording, one after the other."""
    job, out = Path(sys.argv[1]) / "job", Path(sys.argv[2])
    config = msgspec.convert(json.loads((job / "job.json").read_text())["config"], Config)
    began = time.monotonic()
    with Warm(config, lambda warned: None) as warm:
        for path in sorted(job.glob(f"results/*/{PLAN}")):
            known = read_plan(path.parent)
            recording = Recording(known.stream, Path(known.path))
            for number, segment in enumerate(plan_recording(recording, config, 300.0).segments):
                process_segment(recording, segment, out / f"{known.stream}-{number}", warm)
    sys.stdout.write(f"{time.monotonic() - began:.3f}\n")


if __name__ == "__main__":
    main()
