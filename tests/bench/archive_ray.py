"""An archive on a Ray cluster of several nodes on this machine, whose parts are killed.

``python -m tests.bench.archive_ray [--clips 200] [--shared GLOB] [--segment-seconds 300] [--config FILE]
[--kills 20] [--kinds node] [--nodes 2] [--seed 1] [--folder DIR] [--json FILE]``

The archive: shared clips, and short generated ones of 2 to 4 s. What an undisturbed job finds is compared with one run over
the same recordings; then tasks' processes, workers, nodes and drivers are killed at random moments of jobs, one job after the
other until there were enough, and each result is compared with that. Last, what a job takes of the processor stands beside
what one run over the same recordings takes: unlike times on the clock, that says something on a busy machine, too. That
job is on a cluster of its own (``--address local``), and its result is compared as well.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from engine.config.file import load_config
from engine.verify.gallery.opening import gallery_to_follow
from tests.assets import SHARED
from tests.bench.processor import measured
from tests.bench.short_recordings import short_recordings
from tests.jobs.nodes import TASK, Nodes, nodes
from tests.jobs.same import same_results
from tests.jobs.submission import KINDS, Kind, Submission, kill_one

CONSOLE = Console()
LIMIT_SECONDS = 3600.0
_EPOCH = re.compile(r'"epoch":"[0-9a-f]*"')


@dataclass
class Killed:
    """One job over which parts of one kind were killed."""

    kind: Kind
    kills: int
    exit_code: int
    faces_lost: int
    faces_doubled: int
    difference: str
    set_aside: int
    seconds: float


def main() -> None:
    """Compare, kill, compare, time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--shared", default="asl_*.mkv", help="which of the shared clips; empty: none")
    parser.add_argument("--segment-seconds", default="300")
    parser.add_argument("--config", type=Path, help="settings, as for both commands")
    parser.add_argument("--kills", type=int, default=20, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="what is killed")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the generated clips are kept")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    figures: dict[str, object] = {"cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = archive(options.folder or folder / "clips", options.clips, options.shared)
        config = settings(options.config, folder)
        more = ["--config", str(config), "--segment-seconds", options.segment_seconds]
        with nodes(options.nodes) as cluster:
            began = time.monotonic()
            whole = Submission(sources, folder / "whole", cluster.address, *more)
            code = whole.wait(LIMIT_SECONDS)
            seconds = time.monotonic() - began
            truth = folder / "whole" / "result"
            difference = difference_of(single_run(sources, folder, config), truth)
            found = faces(truth)
            CONSOLE.print(f"{whole.results} tasks, {found.total()} faces, exit code {code}, {seconds:.0f} s")
            CONSOLE.print(f"a single run: {difference or 'equal'}")
            figures |= {"faces": found.total(), "difference": difference, "exit_code": code}
            jobs = [
                job
                for kind in options.kinds
                for job in killed(kind, options.kills, cluster, sources, folder, truth, chance, more)
            ]
        figures["kills"] = [asdict(job) for job in jobs]
        tell(jobs)
        figures["cost"] = cost(sources, folder, config, more)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def archive(folder: Path, clips: int, shared: str) -> list[str]:
    """Return the sources: the shared recordings that are there, and generated ones."""
    there = sorted((SHARED / "video").glob(shared)) if shared else []
    return [*map(str, there), *map(str, short_recordings(folder, clips))]


def settings(config: Path | None, folder: Path) -> Path:
    """Return settings with a gallery of their own, in which nobody is: both commands compare with the same."""
    gallery, made = folder / "gallery.sqlite", folder / "config.yaml"
    gallery_to_follow(gallery)
    there = load_config(config)
    made.write_text(json.dumps(msgspec.to_builtins(replace(there, verify=replace(there.verify, gallery=str(gallery))))))
    return made


def single_run(sources: list[str], folder: Path, config: Path) -> Path:
    """Let ``facestream run`` do the same, with the same gallery; return its directory."""
    out = folder / "single"
    each = [word for source in sources for word in ("--source", source)]
    subprocess.run([sys.executable, "-m", "engine", "run", str(config), "-q", *each, "--out", str(out)], check=True)
    return out


def faces(directory: Path) -> Counter[tuple[object, ...]]:
    """Return the faces of a result, by stream, moment and place."""
    lines = (json.loads(line) for line in (directory / "faces.jsonl").read_text(encoding="utf-8").splitlines())
    return Counter((line["stream"], line["frame_index"], str(line["box"])) for line in lines)


def difference_of(a: Path, b: Path) -> str:
    """Return how two results differ, but for the epochs of their galleries: each job has a copy of its own."""
    for directory in (a, b):
        for path in (directory / "faces.jsonl", directory / "tracks.jsonl"):
            path.write_text(_EPOCH.sub('"epoch":""', path.read_text(encoding="utf-8")), encoding="utf-8")
    return same_results(a, b)


def killed(
    kind: Kind,
    kills: int,
    cluster: Nodes,
    sources: list[str],
    folder: Path,
    truth: Path,
    chance: random.Random,
    more: list[str],
) -> list[Killed]:
    """Kill parts of one kind, in as many jobs as that takes."""
    jobs, done = list[Killed](), 0
    while done < kills:
        out, began, number = folder / f"{kind}-{len(jobs)}", time.monotonic(), 0
        submission = Submission(sources, out, cluster.address, *more)
        while done + number < kills:
            time.sleep(chance.uniform(0.5, 6.0))
            if not kill_one(kind, cluster, submission, chance):
                break
            number += 1
        code = submission.wait(LIMIT_SECONDS)
        wanted, got = faces(truth), faces(out / "result") if code == 0 else Counter[tuple[object, ...]]()
        status = subprocess.run(
            [sys.executable, "-m", "engine", "archive", "status", str(out), "--json"], capture_output=True, text=True
        )
        jobs.append(
            Killed(
                kind, number, code, (wanted - got).total(), (got - wanted).total(),
                difference_of(truth, out / "result") if code == 0 else submission.said,
                json.loads(status.stdout)["recordings_set_aside"], time.monotonic() - began,
            )
        )  # fmt: skip
        done += number
        CONSOLE.print(jobs[-1])
        shutil.rmtree(out)
    return jobs


def tell(jobs: list[Killed]) -> None:
    """Print what became of them."""
    table = Table("killed", "times", "in jobs", "exit 0", "faces lost", "doubled", "results that differ", "set aside")
    for kind in KINDS:
        some = [job for job in jobs if job.kind == kind]
        sums = [sum(getattr(job, name) for job in some) for name in ("faces_lost", "faces_doubled")]
        ended, differ = sum(job.exit_code == 0 for job in some), sum(bool(job.difference) for job in some)
        row = (sum(job.kills for job in some), len(some), ended, *sums, differ, sum(job.set_aside for job in some))
        table.add_row(kind, *map(str, row))
    CONSOLE.print(table)


def cost(sources: list[str], folder: Path, config: Path, more: list[str]) -> dict[str, object]:
    """Return what one run takes of the processor, and what a job over the same recordings on a cluster of its own does."""
    each = [word for source in sources for word in ("--source", source)]
    command, ran, done = [sys.executable, "-m", "engine"], folder / "cost-run", folder / "cost-job"
    run = measured([*command, "run", str(config), "-q", *each, "--out", str(ran)])
    job = measured([*command, "archive", "submit", "-q", *sources, "--out", str(done), *more])
    difference = difference_of(ran, done / "result")
    CONSOLE.print(f"on a cluster of its own: {difference or 'equal'}")
    CONSOLE.print(
        f"seconds of the processor: `facestream run` {run.total:.1f}, a job {job.total:.1f}, of which its tasks' processes "
        f"{job.processor.get(TASK, 0.0):.1f}"
    )
    return {"run": asdict(run), "job": asdict(job), "difference": difference}


if __name__ == "__main__":
    main()
