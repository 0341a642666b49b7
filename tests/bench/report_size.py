"""What the report of many tracks takes: memory and time to make it, and to open it in Chromium.

    python -m tests.bench.report_size result [--tracks 500 5000 20000] [--streams 300]

``result`` is a finished run of a few tracks: its lines are written again under other ids, times and
streams, and name the same pictures.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.report.page import write_report
from tests.web.console.browser import chromium

_TIMES = ("pts_seconds", "first_pts_seconds", "last_pts_seconds")


def write_many(source: Path, target: Path, tracks: int, streams: int) -> Path:
    """Write a run of so many tracks over so many recordings."""
    target.mkdir()
    shutil.copytree(source / "faces", target / "faces")
    by_track: dict[tuple[str, int], dict[str, list[dict]]] = {}
    for name in ("faces.jsonl", "tracks.jsonl"):
        for line in map(json.loads, (source / name).open()):
            by_track.setdefault((line["stream"], line["track_id"]), {}).setdefault(name, []).append(line)
    names, chosen = [f"yard-{number:03}" for number in range(streams)], random.Random(1)
    run = json.loads((source / "run.json").read_text())
    [facts, *_] = run["inputs"].values()
    run["inputs"] = {name: facts | {"path": f"/archive/{name}.mp4"} for name in names}
    (target / "run.json").write_text(json.dumps(run))
    originals = list(by_track.values())
    with (target / "faces.jsonl").open("w") as faces, (target / "tracks.jsonl").open("w") as ends:
        for track_id in range(1, tracks + 1):
            stream, later = chosen.choice(names), chosen.random() * 3600
            for name, lines in chosen.choice(originals).items():
                for line in lines:
                    moved = {key: line[key] + later for key in _TIMES if key in line}
                    file = faces if name == "faces.jsonl" else ends
                    file.write(json.dumps(line | moved | {"stream": stream, "track_id": track_id}) + "\n")
    return target


def make(directory: Path) -> dict[str, float]:
    """Make the report in this process, and return what it took."""
    page = write_report(directory)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"page MB": page.stat().st_size / 1e6, "peak MB": used.ru_maxrss / 1024, "CPU s": used.ru_utime + used.ru_stime}


def opened(page: Path) -> dict[str, float]:
    """Return the seconds until a page has been loaded, and the CPU seconds of the thread that shows it."""
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})  # type: ignore[attr-defined]
        session = tab.context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        start = time.monotonic()
        tab.goto(page.absolute().as_uri())
        took = time.monotonic() - start
        measured = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return {"opened s": took, "opened CPU s": measured["TaskDuration"]}


def main() -> None:
    """Print a line for each number of tracks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("result", type=Path)
    parser.add_argument("--tracks", type=int, nargs="+", default=[500, 5000, 20000])
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        sys.stdout.write(json.dumps(make(asked.result)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for tracks in asked.tracks:
            directory = write_many(asked.result, Path(folder) / str(tracks), tracks, asked.streams)
            command = [sys.executable, "-m", "tests.bench.report_size", str(directory), "--make"]
            made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            found = made | opened(directory / "report.html")
            sys.stdout.write(f"{tracks:6,} tracks: {', '.join(f'{name} {value:.2f}' for name, value in found.items())}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
