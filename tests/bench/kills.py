"""Workers and supervisors that are killed. Run: python -m tests.bench.kills [--times 20] [--mode file|live|both] [--json FILE]

Over a recording: each kind of process is killed at a random moment of a run, and what the run found is compared with an
undisturbed one. Over three cameras: the workers of one long run are killed one after the other, and every frame has to be
accounted for; then supervisors of short runs are killed.
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
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from engine.sample.clip import render_sample
from tests.e2e.live_run import FPS, MODEL, LiveRun, make_clip
from tests.e2e.processes import children_of, results
from tests.rtsp.server import GstServer

CONSOLE = Console()
CAMERAS = ("alpha", "bravo", "charlie")
LIMIT_SECONDS = 120.0
Found = list[tuple[object, ...]]
FILE_VICTIMS = {"decode": "fs-decode-1", "perceive": "fs-perceive", "enhance": "fs-enhance-1", "publish": "fs-publish"}
LIVE_VICTIMS = {"camera": "fs-camera-alpha"} | {kind: FILE_VICTIMS[kind] for kind in ("perceive", "enhance", "publish")}


@dataclass
class FileKill:
    """One recording's run of which one process was killed."""

    kind: str
    after_seconds: float
    """Since the workers had started."""
    hit: bool
    """The victim was still there at that moment."""
    exit_code: int
    faces_lost: int
    faces_doubled: int
    tracks_lost: int
    tracks_doubled: int
    left: int
    """Processes that outlived the run."""
    seconds: float


@dataclass
class LiveKill:
    """One worker's death in a live run, or (``supervisor``) one run's."""

    kind: str
    back_seconds: float | None
    """Until the worker is there again; None for a supervisor, and where it did not happen."""
    faces_seconds: float | None
    """Until each camera gives faces of pictures captured after the death."""
    left: int = 0


def main() -> None:
    """Kill, count, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="deaths of each kind")
    parser.add_argument("--mode", choices=("file", "live", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    figures: dict[str, object] = {"cores": os.cpu_count(), "times": options.times, "seed": options.seed}
    with tempfile.TemporaryDirectory() as folder:
        if options.mode != "live":
            figures["file"] = _file_mode(Path(folder), options.times, chance)
        if options.mode != "file":
            figures["live"] = _live_mode(Path(folder), options.times, chance)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _file_mode(folder: Path, times: int, chance: random.Random) -> list[dict[str, object]]:
    clip = folder / "sample.mp4"
    render_sample(clip, seconds=4.0, seed=3)
    detector = ["--detector", str(MODEL)] if MODEL.exists() else []
    command = [sys.executable, "-m", "engine", "run", "-q", "--source", str(clip), "--embedder", "none", *detector]
    process = _start(command, folder / "undisturbed")
    _workers(process, "fs-publish")
    began = time.monotonic()
    process.communicate(timeout=LIMIT_SECONDS)
    usual_seconds = time.monotonic() - began
    truth = results(folder / "undisturbed")
    CONSOLE.print(f"undisturbed: {len(truth[0])} faces, {len(truth[1])} tracks, {usual_seconds:.1f} s from the workers' start")
    kills = []
    for kind in (*FILE_VICTIMS, "parent"):
        for number in range(times):
            after = chance.uniform(0.0, 0.9 * usual_seconds)
            kills.append(_kill_one(command, folder / f"{kind}-{number}", kind, after, truth))
    _print_file(kills)
    return [asdict(kill) for kill in kills]


def _kill_one(command: list[str], out: Path, kind: str, after: float, truth: tuple[Found, Found]) -> FileKill:
    began = time.monotonic()
    process = _start(command, out)
    workers = _workers(process, FILE_VICTIMS.get(kind, "fs-publish"))
    time.sleep(after)
    pids = set(workers.values()) | set(children_of(process.pid).values())
    victim = process.pid if kind == "parent" else children_of(process.pid).get(FILE_VICTIMS[kind], 0)
    hit = process.poll() is None and victim > 0 and _kill(victim)
    code = _end(process)
    if kind == "parent" and code != 0:
        _wait(lambda: not _alive(pids), 10)
        process = _start(command, out, "--resume")
        code = _end(process)
    _wait(lambda: not _alive(pids), 10)
    faces, tracks = results(out) if (out / "faces.jsonl").exists() else ([], [])
    (faces_lost, faces_doubled), (tracks_lost, tracks_doubled) = _differ(truth[0], faces), _differ(truth[1], tracks)
    seconds = time.monotonic() - began
    if code or faces_lost or faces_doubled or tracks_lost or tracks_doubled:
        CONSOLE.print(f"{out.name}: killed after {after:.2f} s: exit code {code}, faces -{faces_lost} +{faces_doubled}, "
                      f"tracks -{tracks_lost} +{tracks_doubled}", style="red")  # fmt: skip
    return FileKill(kind, after, hit, code, faces_lost, faces_doubled, tracks_lost, tracks_doubled, len(_alive(pids)), seconds)


def _differ(wanted: Found, got: Found) -> tuple[int, int]:
    """Return how many are missing, and how many are too many (given twice, or never in the undisturbed run)."""
    a, b = Counter(wanted), Counter(got)
    return (a - b).total(), (b - a).total()


def _live_mode(folder: Path, times: int, chance: random.Random) -> dict[str, object]:
    clip, detector = make_clip(folder, 8.0)
    with GstServer(dict.fromkeys(CAMERAS, clip)) as server:
        config = folder / "cameras.yaml"
        tree = {
            "sources": [{"uri": server.url(name), "name": name} for name in CAMERAS],
            "live": {"detect_fps": 3.0 * FPS},
            "supervise": {"restarts_per_minute": 100_000},
            "track": {"min_detections": 1},
            "crop": {"policy": "every"},
        }
        config.write_text(yaml.safe_dump(tree), encoding="utf-8")
        order = [kind for kind in LIVE_VICTIMS for _ in range(times)]
        chance.shuffle(order)
        kills, account = _long_run(folder / "long", [str(config), *detector], order, chance)
        for number in range(times):
            kills.append(_kill_supervisor(folder / f"short-{number}", [str(config), *detector], chance.uniform(0.0, 1.5)))
    _print_live(kills, account)
    return {"kills": [asdict(kill) for kill in kills], "account": account}


def _long_run(
    folder: Path, arguments: list[str], order: Sequence[str], chance: random.Random
) -> tuple[list[LiveKill], dict[str, object]]:
    """Kill workers of one run, each when the one before has recovered; say where all frames went."""
    folder.mkdir(mode=0o700)
    kills = []
    with LiveRun(folder, "--log-format", "json", *arguments) as run:
        run.wait_for_faces(*CAMERAS)
        pids = set(run.workers.values())
        for kind in order:
            time.sleep(chance.uniform(0.2, 1.2))
            kills.append(_kill_worker(run, kind))
            pids |= set(run.workers.values())
        code, said = run.stop(60)
        _wait(lambda: not _alive(pids), 10)
        account = {"frames": _account(run), "exit_code": code, "left": len(_alive(pids))}
    if code:
        CONSOLE.print(said, style="red")
    return kills, account


def _kill_worker(run: LiveRun, kind: str) -> LiveKill:
    name = LIVE_VICTIMS[kind]
    dead = run.workers[name]
    os.kill(dead, signal.SIGKILL)
    began, killed_ns = time.monotonic(), time.time_ns()
    back = _wait(lambda: run.workers.get(name, dead) != dead, 30)
    faces = _wait(lambda: run.has_fresh_faces(CAMERAS, killed_ns), 60)
    return LiveKill(kind, back and back - began, faces and faces - began)


def _kill_supervisor(folder: Path, arguments: list[str], after: float) -> LiveKill:
    folder.mkdir(mode=0o700)
    with LiveRun(folder, "-q", *arguments) as run:
        run.wait_for_faces(CAMERAS[0])
        time.sleep(after)
        pids = set(run.workers.values())
        run.process.kill()
        _wait(lambda: not _alive(pids) and not run.socket.exists(), 10)
        return LiveKill("supervisor", None, None, len(_alive(pids)) + run.socket.exists())


def _account(run: LiveRun) -> dict[str, dict[str, int]]:
    """Return for each camera the frames handed over, those that gave faces, those counted as dropped, and the rest.

    The rest are frames without a face that was found (one of each camera at the end), and uncounted losses; less than none
    where a worker died before it had told what it had counted last.
    """
    events = [json.loads(line) for line in run.said.splitlines() if line.startswith("{")]
    streams: dict[str, dict[str, int]] = next((event["streams"] for event in events if event["event"] == "run_ended"), {})
    account = {}
    for name, stream in streams.items():
        with_faces = len({(face.captured_ns, face.frame_index) for face in run.faces if face.stream == name})
        rest = stream["frames"] - with_faces - stream["dropped"]
        account[name] = {"frames": stream["frames"], "with_faces": with_faces, "dropped": stream["dropped"], "rest": rest}
    return account


def _start(command: list[str], out: Path, *more: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, "--out", str(out), *more], stdout=pipe, stderr=pipe, text=True)


def _end(process: subprocess.Popen[str]) -> int:
    """Wait; a run that hangs is killed and counts as failed."""
    try:
        process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode


def _workers(process: subprocess.Popen[str], name: str) -> dict[str, int]:
    _wait(lambda: name in children_of(process.pid) or process.poll() is not None, 60)
    return children_of(process.pid)


def _wait(condition: Callable[[], bool], seconds: float) -> float | None:
    """Return when the condition held (monotonic), None if it never did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return time.monotonic()
        time.sleep(0.01)
    return None


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _alive(pids: set[int]) -> set[int]:
    alive = set()
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
                alive.add(pid)
    return alive


def _print_file(kills: list[FileKill]) -> None:
    columns = ("kind", "kills", "hit", "exit 0", "faces lost", "doubled", "tracks lost", "doubled", "left", "mean s")
    table = Table(*columns, title="a recording")
    for kind in dict.fromkeys(kill.kind for kill in kills):
        some = [kill for kill in kills if kill.kind == kind]
        sums = [sum(getattr(kill, name) for kill in some) for name in
                ("faces_lost", "faces_doubled", "tracks_lost", "tracks_doubled", "left")]  # fmt: skip
        ended = sum(kill.exit_code == 0 for kill in some)
        mean = sum(kill.seconds for kill in some) / len(some)
        table.add_row(kind, *map(str, (len(some), sum(kill.hit for kill in some), ended, *sums)), f"{mean:.1f}")
    CONSOLE.print(table)


def _print_live(kills: list[LiveKill], account: dict[str, object]) -> None:
    table = Table("kind", "kills", "recovered", "worker back, s", "all cameras give faces, s (worst)", "left", title="cameras")
    for kind in dict.fromkeys(kill.kind for kill in kills):
        some = [kill for kill in kills if kill.kind == kind]
        back = [kill.back_seconds for kill in some if kill.back_seconds is not None]
        faces = [kill.faces_seconds for kill in some if kill.faces_seconds is not None]
        table.add_row(
            kind, str(len(some)), str(len(faces)) if kind != "supervisor" else "-", _worst(back), _worst(faces),
            str(sum(kill.left for kill in some)),
        )  # fmt: skip
    CONSOLE.print(table)
    CONSOLE.print(account)


def _worst(seconds: list[float]) -> str:
    return f"{sum(seconds) / len(seconds):.2f} ({max(seconds):.2f})" if seconds else "-"


if __name__ == "__main__":
    main()
