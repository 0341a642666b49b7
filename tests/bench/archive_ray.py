"""An archive on a Ray cluster of several nodes on this machine, whose parts are killed.

``python -m tests.bench.archive_ray [--clips 200] [--kills 20] [--nodes 2] [--seed 1] [--folder DIR] [--json FILE]``

The archive: the shared clips, and small generated ones of 2 to 4 s. What an undisturbed job finds is compared with one run over
the same recordings; then tasks' processes, workers, nodes and drivers are killed at random moments of jobs, one job after the
other until there were enough, and each result is compared with that. Last, what a job takes of the processor stands beside
what one run over the same recordings takes: unlike times on the clock, that says something on a busy machine, too.
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

from rich.console import Console
from rich.table import Table

from engine.sample.clip import render_sample
from tests.assets import SHARED
from tests.bench.processor import measured
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
    parser.add_argument("--kills", type=int, default=20, help="of each kind")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the generated clips are kept")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch, nodes(options.nodes) as cluster:
        folder = Path(scratch)
        sources = archive(options.folder or folder / "clips", options.clips)
        began = time.monotonic()
        whole = Submission(sources, folder / "whole", cluster.address)
        code = whole.wait(LIMIT_SECONDS)
        seconds = time.monotonic() - began
        truth = folder / "whole" / "result"
        difference = same_results(single_run(sources, folder, truth.parent / "job" / "gallery.sqlite"), truth)
        found = faces(truth)
        CONSOLE.print(f"{whole.results} tasks, {found.total()} faces, exit code {code}, {seconds:.0f} s")
        CONSOLE.print(f"a single run: {difference or 'equal'}")
        figures: dict[str, object] = {
            "cores": os.cpu_count(),
            "faces": found.total(),
            "difference": difference,
            "exit_code": code,
        }
        jobs = [job for kind in KINDS for job in killed(kind, options.kills, cluster, sources, folder, truth, chance)]
        figures["kills"] = [asdict(job) for job in jobs]
        tell(jobs)
        figures["cost"] = cost(sources, folder)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def archive(folder: Path, clips: int) -> list[str]:
    """Return the sources: the shared recordings that are there, and generated ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(clips):
        clip = folder / f"clip-{number:03d}.mp4"
        if not clip.exists():
            made = folder / "making" / clip.name
            render_sample(made, seconds=2.0 + number % 3, seed=number, size_px=(480, 320))
            made.rename(clip)
            shutil.rmtree(made.parent)
    shared = sorted((SHARED / "video").glob("asl_*.mkv"))
    return [*map(str, shared), *(str(folder / f"clip-{number:03d}.mp4") for number in range(clips))]


def single_run(sources: list[str], folder: Path, gallery: Path) -> Path:
    """Let ``facestream run`` do the same, with the same gallery; return its directory."""
    out, config = folder / "single", folder / "config.yaml"
    config.write_text(json.dumps({"verify": {"gallery": str(gallery)}}))
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
    kind: Kind, kills: int, cluster: Nodes, sources: list[str], folder: Path, truth: Path, chance: random.Random
) -> list[Killed]:
    """Kill parts of one kind, in as many jobs as that takes."""
    jobs, done = list[Killed](), 0
    while done < kills:
        out, began, number = folder / f"{kind}-{len(jobs)}", time.monotonic(), 0
        submission = Submission(sources, out, cluster.address)
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


def cost(sources: list[str], folder: Path) -> dict[str, object]:
    """Return what one run takes of the processor, and what a job over the same recordings on a cluster of its own does."""
    each = [word for source in sources for word in ("--source", source)]
    run = measured([sys.executable, "-m", "engine", "run", "-q", *each, "--out", str(folder / "cost-run")])
    job = measured([sys.executable, "-m", "engine", "archive", "submit", "-q", *sources, "--out", str(folder / "cost-job")])
    CONSOLE.print(
        f"seconds of the processor: `facestream run` {run.total:.1f}, a job {job.total:.1f}, of which its tasks' processes "
        f"{job.processor.get(TASK, 0.0):.1f}"
    )
    return {"run": asdict(run), "job": asdict(job)}


if __name__ == "__main__":
    main()
