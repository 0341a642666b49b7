"""Does what is found depend on timing or on the machine? Run: python -m tests.bench.timing [--times 10] [--ways NAME ...]

Recordings are run once in peace. Then they are run again in other ways, which move about what happens when: beside busy
processes, with workers that are stopped and let go on, beside each other and alone, by fewer and more processes, threads and
cores, beside a camera, killed and resumed. All that is written must be the same but for the clock (``tests.e2e.said``).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.sample.clip import render_sample
from tests.e2e.processes import children_of
from tests.e2e.said import Facts, differences, said
from tests.rtsp.clips import face_clip
from tests.rtsp.server import GstServer, why_not

CONSOLE = Console()
LIMIT_SECONDS = 400.0
CAMERA = "camera"


@dataclass(frozen=True)
class Way:
    """One way to run the recordings."""

    name: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    cores: int = 0
    """On which it may run; 0: all."""
    busy: int = 0
    """Processes beside it that do nothing but compute."""
    stops: bool = False
    """Its workers are stopped, each for up to half a second, and go on."""
    reverse: bool = False
    """The recordings are named in the other order."""
    alone: bool = False
    """Each has a run of its own."""
    camera: bool = False
    """One is read beside them."""
    kills: int = 0
    """So often all of it is killed, and goes on from its directory."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Tracks have other numbers where there are other recordings, or these in another order, and after a kill."""
        return ("track_id",) if self.alone or self.reverse or self.camera or self.kills else ()


ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "4711"}
WAYS = [
    Way("again"),
    Way("alone", alone=True),
    Way("in the other order", reverse=True),
    Way("beside busy processes", busy=4),
    Way("with workers that stop", stops=True),
    Way("both", busy=3, stops=True),
    Way("one decoder", {"decode": {"parallel_files": 1}}, stops=True),
    Way("one of each", {"super_resolve": {"workers": 1}, "detect": {"workers": 1}}),
    Way("four of each", {"super_resolve": {"workers": 4}, "detect": {"workers": 4}}, stops=True),
    Way("one core", cores=1),
    Way("another place", environment=ELSEWHERE),
    Way("killed and resumed", kills=3),
    Way("beside a camera", camera=True, stops=True),
]


class Bench:
    """Runs recordings in a folder.

    Args:
        folder: for all that is written.
        recordings: with different stems.
        gallery: a file, with whom faces are compared.
        chance: decides who is stopped and killed, and when.
    """

    def __init__(self, folder: Path, recordings: Sequence[Path], gallery: Path, chance: random.Random) -> None:
        self._folder, self._recordings, self._gallery, self._chance = folder, list(recordings), gallery, chance
        self._runs = 0

    def run(self, way: Way) -> tuple[Facts, float]:
        """Return what is found, and the seconds that it took."""
        recordings = self._recordings[::-1] if way.reverse else self._recordings
        facts: Facts = {}
        began = time.monotonic()
        for some in [[one] for one in recordings] if way.alone else [recordings]:
            out = self._folder / f"run-{self._runs}"
            self._runs += 1
            with ExitStack() as stack:
                camera = stack.enter_context(_camera(self._folder)) if way.camera else ""
                stack.enter_context(_busy(way.busy))
                self._run_once(way, self._configuration(way, some, out, camera), [one.stem for one in some], out)
            facts |= said(out, [one.stem for one in some])
        return facts, time.monotonic() - began

    def _configuration(self, way: Way, recordings: Sequence[Path], out: Path, camera: str) -> Path:
        sources: list[dict[str, str]] = [{"uri": str(one)} for one in recordings]
        sources += [{"uri": camera, "name": CAMERA}] if camera else []
        tree = {
            "sources": sources,
            "verify": {"gallery": str(self._gallery)},
            "output": {"directory": str(out), "report": False},
            **way.settings,
        }
        path = out.with_suffix(".yaml")
        path.write_text(json.dumps(tree), encoding="utf-8")
        return path

    def _run_once(self, way: Way, configuration: Path, streams: Sequence[str], out: Path) -> None:
        command = [sys.executable, "-m", "engine", "run", str(configuration), "-q"]
        for left in range(way.kills, -1, -1):
            process = _start(command, way)
            with _stopping(process, self._chance) if way.stops else ExitStack():
                if way.camera:
                    _wait_for_ends(process, out, streams)
                    process.send_signal(signal.SIGTERM)
                elif left:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(self._chance.uniform(2.0, 8.0))
                    process.kill()
                _, errors = process.communicate(timeout=LIMIT_SECONDS)
            if process.returncode not in ((0, -signal.SIGKILL) if left else (0,)):
                raise RuntimeError(f"{way.name}: exit code {process.returncode}: {errors}")
            if process.returncode == 0:
                return
            command = [*command, "--resume"] if "--resume" not in command and (out / "run.json").exists() else command


def _start(command: Sequence[str], way: Way) -> subprocess.Popen[str]:
    def choose_cores() -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: way.cores])

    return subprocess.Popen(
        command,
        env={**os.environ, **way.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=choose_cores if way.cores else None,
    )


@contextmanager
def _stopping(process: subprocess.Popen[str], chance: random.Random) -> Iterator[None]:
    """Meanwhile let random workers stop for a while, one after the other."""
    over = threading.Event()

    def stop_some() -> None:
        while not over.wait(chance.uniform(0.0, 0.2)):
            workers = [pid for name, pid in children_of(process.pid).items() if name.startswith("fs-")]
            if workers:
                pid = chance.choice(workers)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    over.wait(chance.uniform(0.0, 0.5))
                    os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=stop_some, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _busy(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def _camera(folder: Path) -> Iterator[str]:
    clip = face_clip(folder, seconds=4.0)
    with GstServer({CAMERA: clip}) as server:
        yield server.url(CAMERA)


def _wait_for_ends(process: subprocess.Popen[str], out: Path, streams: Sequence[str]) -> None:
    """Wait until all of these recordings were read to their end, as cameras have none."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        path = out / "stream.jsonl"
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        if {event["stream"] for event in events if event["state"] in ("ended", "failed")} >= set(streams):
            return
        time.sleep(0.2)


def _material(folder: Path) -> tuple[list[Path], Path]:
    """Render two clips; enrol the people of the first."""
    gallery = folder / "gallery.sqlite"
    clips = [folder / f"clip-{seed}.mp4" for seed in (3, 4)]
    for seed, clip in enumerate(clips, start=3):
        rendered = render_sample(clip, seconds=4.0, seed=seed)
        if seed == 3:
            for name, picture in rendered.enrolment.items():
                command = [sys.executable, "-m", "engine", "enrol", name, str(picture), "--gallery", str(gallery), "--force"]
                subprocess.run(command, check=True, capture_output=True)
    return clips, gallery


def main() -> int:
    """Run all ways, and say where what was found is not the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="turns of all ways")
    parser.add_argument("--ways", nargs="*", default=[], help="only those whose names begin so")
    parser.add_argument("--clip", type=Path, nargs="*", default=[], help="recordings, in place of rendered ones")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ways = [way for way in WAYS if not options.ways or way.name.startswith(tuple(options.ways))]
    if reason := why_not():
        CONSOLE.print(f"not run: beside a camera, {reason}")
        ways = [way for way in ways if not way.camera]
    table, apart = Table("way", "turn", "seconds", "facts", "apart", title=f"{os.cpu_count()} cores"), 0
    with tempfile.TemporaryDirectory() as name:
        clips, gallery = _material(Path(name))
        bench = Bench(Path(name), options.clip or clips, gallery, random.Random(options.seed))
        before, seconds = bench.run(Way("in peace"))
        table.add_row("in peace", "", f"{seconds:.1f}", str(len(before)), "")
        for turn in range(options.times):
            for way in ways:
                now, seconds = bench.run(way)
                found = differences(before, now, way.ignored)
                apart += len(found)
                table.add_row(way.name, str(turn + 1), f"{seconds:.1f}", str(len(now)), str(len(found)))
                CONSOLE.print(f"{way.name}: {len(found)} apart, {seconds:.1f} s", *found[:10], sep="\n  ")
    CONSOLE.print(table)
    return int(apart > 0)


if __name__ == "__main__":
    sys.exit(main())
