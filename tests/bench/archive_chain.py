"""Segments of an archive against ``facestream run`` at equal cores, and what is looked at twice:
``python -m tests.bench.archive_chain [VIDEO]``.

Both begin when their models are open, and go by turns; the best of each counts. Beside the time on the clock, which on a busy
machine goes to whoever has more processes, stands the processor's: of a run what it takes more than one over a few frames. Each
process of segments has a core of its own.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from rich.console import Console

from engine.config import Config, OutputConfig, SourceConfig
from engine.contracts.recording import Recording
from engine.jobs.chain import process_segment
from engine.jobs.joining import Part, join
from engine.jobs.plan import Plan, plan_recording, read_chain
from engine.jobs.segments import Segment
from engine.jobs.warm import Warm
from tests.assets import SHARED
from tests.jobs.clips import film
from tests.jobs.same import same_results

CONSOLE = Console()
_ROUNDS = 3
_LOOK_SECONDS = 0.1
_SEGMENTS = (1, 2, 4, 8)


def main() -> None:
    """Measure with one core, and with two where there are two."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = Path(sys.argv[1]) if len(sys.argv) > 1 else _clip(folder)
        cores = sorted(os.sched_getaffinity(0))
        for used in {1, min(2, len(cores))}:
            _compare(folder / f"on-{used}", clip, cores[:used])
        _overhead(folder / "overhead", clip)


def _clip(folder: Path) -> Path:
    real = SHARED / "video" / "one-by-one-person-detection.mp4"
    return real if real.exists() else film(folder / "hall.mp4", 1500, [(at, at + 60, at // 7) for at in range(40, 1400, 190)])


def _compare(folder: Path, clip: Path, cores: Sequence[int]) -> None:
    few = film(folder.with_name(f"{folder.name}-few.mp4"), 5, [])
    runs, all_parts = [], []
    for number in range(_ROUNDS):
        _, begin = _run(folder / f"few-{number}", few, cores)
        seconds, processor = _run(folder / f"run-{number}", clip, cores)
        runs.append((seconds, processor - begin))
        all_parts.append(_in_segments(folder / f"parts-{number}", clip, cores))
        words = same_results(folder / f"run-{number}", folder / f"parts-{number}" / "joined")
        assert not words, words
    for words, run, parts in zip(
        ("clock", "processor"), map(min, zip(*runs, strict=True)), map(min, zip(*all_parts, strict=True)), strict=True
    ):
        CONSOLE.print(
            f"{len(cores)} core(s), {words}: `facestream run` {run:.1f} s, {2 * len(cores)} segments {parts:.1f} s with their "
            f"joining: {100 * (parts / run - 1):+.0f} %, results equal"
        )


def _run(out: Path, clip: Path, cores: Sequence[int]) -> tuple[float, float]:
    """Return seconds by the clock and of the processor."""
    command = [sys.executable, "-m", "engine", "run", "--source", str(clip), "--out", str(out)]
    used: dict[str, float] = {}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    ) as process:  # fmt: skip
        while process.poll() is None:
            used |= _used_in_session(process.pid)
            time.sleep(_LOOK_SECONDS)
    record = json.loads((out / "run.json").read_bytes())
    return (record["ended_ns"] - record["started_ns"]) / 1e9, sum(used.values())


def _used_in_session(session: int) -> dict[str, float]:
    """Return the processor's seconds of each process of a session: not all of a run's are waited for by their parents."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(") ")[2].split()
            if int(fields[3]) == session:
                found[path.parent.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _in_segments(folder: Path, clip: Path, cores: Sequence[int]) -> tuple[float, float]:
    """Return seconds by the clock, of the longest share of a core, and of the processor: of planning, segments and joining."""
    config, recording = _config(clip), Recording(clip.stem, clip)
    begun, used = time.perf_counter(), time.process_time()
    plan = plan_recording(recording, config, _length(clip, config) / (2 * len(cores)))
    planned, processor = time.perf_counter() - begun, time.process_time() - used
    context = multiprocessing.get_context("spawn")
    workers = []
    for number, core in enumerate(cores):
        ours, theirs = context.Pipe()
        share = [(at, segment) for at, segment in enumerate(plan.segments) if at % len(cores) == number]
        worker = context.Process(target=_work, args=(theirs, core, config, recording, folder, share))
        worker.start()
        workers.append((worker, ours))
    for _, pipe in workers:
        pipe.recv()
    for _, pipe in workers:
        pipe.send("begin")
    told = [pipe.recv() for _, pipe in workers]
    seconds = max(clock for clock, _ in told)
    processor += sum(cpu for _, cpu in told)
    for worker, _ in workers:
        worker.join(60)
    directories = [folder / str(number) for number in range(len(plan.segments))]
    more, rest_seconds, rest_cpu = _rest(plan, directories, config, recording, folder)
    begun, used = time.perf_counter(), time.process_time()
    join(folder / "joined", config, [Part(plan, [*directories, *more])])
    processor += rest_cpu + time.process_time() - used
    return planned + seconds + rest_seconds + time.perf_counter() - begun, processor


def _rest(
    plan: Plan, directories: Sequence[Path], config: Config, recording: Recording, folder: Path
) -> tuple[list[Path], float, float]:
    """Process what is asked for beside the plan."""
    more: list[Path] = []
    seconds = processor = 0.0
    with Warm(config, lambda warned: None) as warm:
        while not (chain := read_chain(plan, [*directories, *more])[0]).is_whole:
            for segment in chain.todo:
                more.append(folder / f"more-{len(more)}")
                used = time.process_time()
                seconds += process_segment(recording, segment, more[-1], warm).seconds
                processor += time.process_time() - used
    return more, seconds, processor


def _work(
    pipe: Connection, core: int, config: Config, recording: Recording, folder: Path, share: Sequence[tuple[int, Segment]]
) -> None:
    os.sched_setaffinity(0, {core})
    with Warm(config, lambda warned: None) as warm:
        pipe.send("ready")
        pipe.recv()
        begun, used = time.perf_counter(), time.process_time()
        for number, segment in share:
            process_segment(recording, segment, folder / str(number), warm)
        pipe.send((time.perf_counter() - begun, time.process_time() - used))


def _overhead(folder: Path, clip: Path) -> None:
    config, recording = _config(clip), Recording(clip.stem, clip)
    length = _length(clip, config)
    with Warm(config, lambda warned: None) as warm:
        for wanted in _SEGMENTS:
            plan = plan_recording(recording, config, length / wanted)
            todo, directories = list(plan.segments), list[Path]()
            while todo:
                for segment in todo:
                    directories.append(folder / f"{wanted}-{len(directories)}")
                    process_segment(recording, segment, directories[-1], warm)
                todo = list(read_chain(plan, directories)[0].todo)
            told = join(folder / f"{wanted}-joined", config, [Part(plan, directories)])
            CONSOLE.print(
                f"{len(plan.segments)} segments of {length / wanted:.0f} s: {told.twice} of {told.frames} frames looked at "
                f"twice ({100 * told.twice / told.frames:.1f} %)"
            )


def _length(clip: Path, config: Config) -> float:
    return plan_recording(Recording(clip.stem, clip), config, 1e9).scan.seconds


def _config(clip: Path) -> Config:
    return Config(sources=[SourceConfig(uri=str(clip))], output=OutputConfig(report=False))


if __name__ == "__main__":
    main()
