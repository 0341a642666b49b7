"""Cameras that die and come back, again and again. Run: python -m tests.bench.chaos [--restarts 100] [--json FILE]

Each camera is an RTSP server of its own. After a quiet phase one of them at random is killed for 0.1 to 2 s and started again;
the next step begins when it is live again. With ``--minutes`` nothing is killed, and memory is watched instead.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.assets import SHARED
from tests.bench.chaos_seen import LIVE_SECONDS, SETTLE_SECONDS, Outage, Seen, across, first_faces, latencies, spread
from tests.bench.processes import Held, Samples, held, left_over
from tests.rtsp.clips import Clip, face_clip, recorded_clip
from tests.rtsp.server import GstServer, why_not

CONSOLE = Console()
END_SECONDS, SAMPLE_SECONDS = LIVE_SECONDS, 2.0
LEFT_SECONDS = 2.0
"""The resource tracker of Python's multiprocessing ends a moment after the process that it serves."""
SHM = Path("/dev/shm")


class Bench:
    """One run of ``facestream run`` with its cameras and a subscriber."""

    def __init__(self, options: argparse.Namespace, folder: Path, closing: ExitStack) -> None:
        self.options, self.folder, self.closing = options, folder, closing
        clip, self.names = _clip(folder), [f"cam{number}" for number in range(options.streams)]
        self.servers = {name: closing.enter_context(GstServer({"cam": clip})) for name in self.names}
        self.socket, self.log = folder / "faces", folder / "log"
        self.mark = f"FACESTREAM_BENCH={secrets.token_hex(8)}"
        self.seen, self.samples, self.outages = Seen(), Samples(), list[Outage]()
        self._next_sample = 0.0

    def start(self) -> None:
        """Start the engine and the subscriber, and wait for every camera."""
        config = self.folder / "chaos.yaml"
        sources = [{"uri": server.url("cam"), "name": name} for name, server in self.servers.items()]
        work = {"super_resolve": {"track_pictures": False}, "publish": {"mark": False}} if self.options.bare else {}
        config.write_text(json.dumps({"sources": sources} | work), encoding="utf-8")
        model = SHARED / "models" / "face_detection_yunet_2023mar.onnx"
        detector = ["--detector", str(model)] if model.exists() else []
        command = [sys.executable, "-m", "engine", "run", str(config), "--publish", f"ipc://{self.socket}", *detector]
        command += ["--embedder", "none", "--log-format", "json"]
        environment = os.environ | dict([self.mark.split("=")])
        log = self.closing.enter_context(self.log.open("wb"))
        self.engine = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.closing.callback(self.engine.wait)
        self.closing.callback(self.engine.kill)
        # A camera is no load of this machine's: what a server needs to start again must not compete with the engine.
        os.nice(10)
        self.thread = threading.Thread(target=self.seen.follow, args=(f"ipc://{self.socket}",), daemon=True)
        self.thread.start()
        for name in self.names:
            self.seen.wait_live(name, 0)

    def watch(self, seconds: float) -> None:
        """Wait, and sample memory."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until and self.engine.poll() is None:
            if now >= self._next_sample:
                self._next_sample = now + SAMPLE_SECONDS
                self.samples.add(now, held(self.mark))
            time.sleep(min(0.2, until - now))

    def restart_one(self, chance: random.Random) -> None:
        """Kill a random camera for a while, and wait until it is live again."""
        name, outage_seconds = chance.choice(self.names), chance.uniform(0.1, 2.0)
        killed_ns = time.time_ns()
        self.servers[name].kill()
        self.watch(outage_seconds)
        self.servers[name].start()
        back_ns = time.time_ns()
        self.outages.append(Outage(name, killed_ns, back_ns, self.seen.wait_live(name, killed_ns)))
        self.watch(SETTLE_SECONDS)

    def stop(self) -> dict[str, Any]:
        """End the run by a signal, and return what it leaves behind."""
        self.engine.send_signal(signal.SIGTERM)
        try:
            code: int | str = self.engine.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            code = f"none within {END_SECONDS:g} s"
        self.thread.join(5)
        left = {"exit_code": code, "processes": left_over(self.mark, LEFT_SECONDS), "socket": self.socket.exists()}
        events = [_event(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        ends = self.seen.end.outcome if self.seen.end else "no end message"
        return left | {"outcome": ends, "log_events": {name: events.count(name) for name in sorted(set(events))}}


def _clip(folder: Path) -> Clip:
    """Return a signer, whose face is in each frame, else people of a rendered hall."""
    video = SHARED / "video" / "asl_book.mkv"
    if video.exists():
        return recorded_clip(video, folder / "signer.h264", size_px=(320, 240), seconds=3.6)
    return face_clip(folder, size_px=(480, 360))


def _event(line: str) -> str:
    try:
        return str(json.loads(line)["event"])
    except (ValueError, KeyError, TypeError):
        return f"no JSON: {line[:200]}"


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Go through all phases and return the figures."""
    shm_before = set(os.listdir(SHM)) if SHM.exists() else set()
    with ExitStack() as closing:
        bench = Bench(options, folder, closing)
        try:
            bench.start()
            bench.watch(3.0)  # the first pictures are slower than all others
            quiet_ns = time.time_ns()
            bench.watch(options.quiet if not options.minutes else 0.0)
            before, begin, begin_ns = held(bench.mark), time.monotonic(), time.time_ns()
            bench.samples.rows.clear()
            chance = random.Random(options.seed)
            if options.minutes:
                bench.watch(options.minutes * 60)
            else:
                for _ in range(options.restarts):
                    bench.restart_one(chance)
            after, seconds, end_ns = held(bench.mark), time.monotonic() - begin, time.time_ns()
        except TimeoutError as error:
            raise SystemExit(f"{error}; the log ends with: {bench.log.read_text()[-3000:]} {bench.seen.error}") from error
        left = bench.stop()
    left["shm"] = sorted(set(os.listdir(SHM)) - shm_before) if SHM.exists() else []
    per, unit = (3600.0, "hour") if options.minutes else (100 * seconds / max(1, len(bench.outages)), "100 restarts")
    seen = bench.seen
    return {
        "cores": os.cpu_count(), "streams": len(bench.names), "restarts": len(bench.outages), "seconds": seconds,
        "back_to_live_ms": spread([(o.live_ns - o.back_ns) / 1e6 for o in bench.outages]),
        "back_to_face_ms": spread(first_faces(seen, bench.outages)),
        "killed_to_back_ms": spread([(o.back_ns - o.killed_ns) / 1e6 for o in bench.outages]),
        "latency_quiet_ms": spread(latencies(seen, bench.outages, quiet_ns, begin_ns)),
        "latency_others_ms": spread(latencies(seen, bench.outages, begin_ns, end_ns)),
        "detect_p99_ms": {"quiet": _detect_p99_ms(seen, begin_ns), "after": _detect_p99_ms(seen, end_ns)},
        "tracks": len(seen.tracks), "reused": seen.reused, "across_outages": across(seen, bench.outages),
        "on_two_streams": len(seen.tracks) - len({track for _, track in seen.tracks}),
        "missed": seen.missed, "malformed": seen.malformed, "subscriber_error": seen.error,
        "rss_slope_unit": f"MB per {unit}", "rss_slope": {name: mb * per for name, mb in bench.samples.slopes().items()},
        "before": _plain(before), "after": _plain(after), "left": left,
        "counters": seen.end.counters if seen.end else {},
    }  # fmt: skip


def _detect_p99_ms(seen: Seen, before_ns: int) -> float | None:
    """Return the engine's own figure, over its newest thousand detections, at a moment."""
    stats = [message for message in seen.stats if message.sent_ns < before_ns and "detect" in message.stages]
    return stats[-1].stages["detect"].p99_ms if stats else None


def _plain(now: dict[str, Held]) -> dict[str, dict[str, float]]:
    return {name: asdict(one) for name, one in sorted(now.items())}


def failures(figures: dict[str, Any]) -> list[str]:
    """Return what must never be, as sentences."""
    left = figures["left"]
    checks = {
        "a track id was used again": figures["reused"] or figures["across_outages"] or figures["on_two_streams"],
        "the subscriber missed, or could not read, messages": figures["missed"] or figures["malformed"],
        "the run did not end in good order": left["exit_code"] != 0 or left["outcome"] != "drained",
        "processes are left": left["processes"],
        "the socket is left": left["socket"],
        "shared memory is left": left["shm"],
        "a worker died": left["log_events"].get("worker_died"),
        "the log has lines that are no events": [name for name in left["log_events"] if name.startswith("no JSON")],
    }
    return [f"{sentence}: {what}" for sentence, what in checks.items() if what]


def show(figures: dict[str, Any]) -> None:
    """Print what matters."""
    table = Table(f"{figures['streams']} cameras, {figures['restarts']} restarts", "n", "p50", "p95", "p99", "max")
    for name, figure in figures.items():
        if name.endswith("_ms") and figure.get("count"):
            table.add_row(name, *(f"{figure[key]:.0f}" for key in ("count", "p50", "p95", "p99", "max") if key in figure))
    CONSOLE.print(table)
    quiet, others = figures["latency_quiet_ms"], figures["latency_others_ms"]
    if "p99" in quiet and "p99" in others:
        ratios = ", ".join(f"{name} x{others[name] / quiet[name]:.2f}" for name in ("p50", "p99"))
        CONSOLE.print(f"others' latency to the quiet phase: {ratios}; of detections: {figures['detect_p99_ms']}")
    table = Table("process", "MB before", "MB after", str(figures["rss_slope_unit"]), "fds", "threads")
    none = {"rss_mb": float("nan"), "fds": 0, "threads": 0}
    for name in sorted({*figures["before"], *figures["after"]}):
        old, new = figures["before"].get(name, none), figures["after"].get(name, none)
        held_now = (f"{old[key]} -> {new[key]}" for key in ("fds", "threads"))
        slope = figures["rss_slope"].get(name, float("nan"))
        table.add_row(name, f"{old['rss_mb']:.1f}", f"{new['rss_mb']:.1f}", f"{slope:+.1f}", *held_now)
    CONSOLE.print(table)
    CONSOLE.print(f"total slope {figures['rss_slope'].get('total', float('nan')):+.1f} {figures['rss_slope_unit']}")
    CONSOLE.print({"tracks": figures["tracks"], "left": figures["left"], "counters": figures["counters"]})


def main() -> None:
    """Run, show, and exit with 1 where something must never be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--streams", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=0.0, help="watch memory for so long instead of restarting")
    parser.add_argument("--quiet", type=float, default=30.0, help="seconds of the quiet phase")
    parser.add_argument("--bare", action="store_true", help="no pictures of tracks, no marks: the work of a version without")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if reason := why_not():
        sys.exit(f"needs gst-rtsp-server: {reason}")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        figures = run(options, Path(folder))
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if wrong := failures(figures):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
