"""A camera is added and removed many times beside two others: what is left behind, and what the others notice.

Run: python -m tests.bench.camera_guests

Quiet time, time in which the guest stays, and rounds take turns, so that all see the same machine: one camera more is work for
the others' cores, too, and what its coming and going costs is what is beyond that. The guest has a server of its own, which
gives way to the run: cameras are other machines, and one that is connected to holds up the pictures of no other.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config import Config, CropConfig, DetectConfig, PublishConfig, SourceConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.camera import Camera
from engine.pipeline.control import RunControl
from engine.pipeline.run import run_pipeline
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from tests.bench.camera_turn import Faces
from tests.e2e.live_run import make_clip
from tests.e2e.processes import children_of
from tests.rtsp.server import GstServer

OTHERS = ("one", "two")
_STEADY_SECONDS, _ROUNDS_IN_TURN = 10.0, 20


def held() -> dict[str, tuple[int, int, int]]:
    """Return handles, threads and resident KB of this process and of the workers, without the guest's."""
    found = {}
    for name, pid in {"supervisor": os.getpid(), **children_of(os.getpid())}.items():
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
        found[name] = (len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]), int(status["VmRSS"].split()[0]))
    return {name: values for name, values in found.items() if name == "supervisor" or name.startswith("fs-")}


class Guests:
    """Adds and removes the guest, driven by the run's observer."""

    def __init__(self, control: RunControl, guest: Camera, rounds: int) -> None:
        self.control, self.guest, self.rounds = control, guest, rounds
        self.done = 0
        self.windows: list[tuple[str, int, int]] = []
        """What was going on, from when to when (Unix, nanoseconds)."""
        self._since_ns = self._pid = 0
        self.before: dict[str, tuple[int, int, int]] = {}
        self.after: dict[str, tuple[int, int, int]] = {}
        self._streams: Mapping[str, StreamStatus] = {}
        self._steps: Iterator[None] | None = None

    def __call__(self, status: RunStatus) -> None:
        self._streams = status.streams  # as they are now: the next status is another copy
        self._pid = status.workers["camera-guest"].pid if "camera-guest" in status.workers else 0
        self._steps = self._steps or self._tell()
        next(self._steps, None)

    def _tell(self) -> Iterator[None]:
        while not all(self._streams[name].frames > 20 for name in OTHERS):
            yield
        yield from self._round()  # the first one loads what stays
        self.windows.clear()
        self.before = held()
        for number in range(self.rounds):
            if number % _ROUNDS_IN_TURN == 0:
                yield from self._quiet()
            yield from self._round(stays=number % _ROUNDS_IN_TURN == 0)
            self.done += 1
        self.after = held()
        signal.raise_signal(signal.SIGTERM)

    def _quiet(self) -> Iterator[None]:
        self._begin()
        yield from self._steady()
        self._end("quiet")

    def _steady(self) -> Iterator[None]:
        while time.time_ns() - self._since_ns < _STEADY_SECONDS * 1e9:
            yield

    def _round(self, *, stays: bool = False) -> Iterator[None]:
        self._begin()
        self.control.add(self.guest)
        while "guest" not in self._streams or self._streams["guest"].is_over or not self._streams["guest"].frames:
            yield
        self._end("coming")
        if stays:
            yield from self._steady()
        self._end("there")
        self.control.remove("guest")
        while not self._streams["guest"].is_over or Path(f"/proc/{self._pid}").exists():
            yield
        self._end("leaving")

    def _begin(self) -> None:
        self._since_ns = time.time_ns()

    def _end(self, what: str) -> None:
        now = time.time_ns()
        self.windows.append((what, self._since_ns, now))
        self._since_ns = now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=200, help="about 4 s each")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        clip, options = make_clip(Path(folder))
        detector = options[1] if options[0] == "--detector" else "auto"
        endpoint = f"ipc://{folder}/faces"
        faces = Faces(endpoint, OTHERS)
        with GstServer({"cam": clip}) as server, GstServer({"cam": clip}) as guests_server:
            os.setpriority(os.PRIO_PROCESS, guests_server.pid, 10)
            config = Config(
                sources=[SourceConfig(uri=server.url("cam"), name=name) for name in OTHERS],
                detect=DetectConfig(detector=detector),
                crop=CropConfig(policy="every"),  # so that a p99 has faces enough
                super_resolve=SuperResolveConfig(generator="bicubic", workers=1),
                verify=VerifyConfig(embedder="none"),
                publish=PublishConfig(endpoint=endpoint),
            )
            control = RunControl()
            guests = Guests(control, Camera("guest", guests_server.url("cam"), "guest"), rounds)
            faces.start()
            result = run_pipeline(config, guests, control=control)
            faces.stop()
    _tell(guests, result.status, faces)


def _tell(guests: Guests, status: RunStatus, faces: Faces) -> None:
    say = sys.stdout.write
    dropped = [status.streams[name].dropped for name in OTHERS]
    say(f"rounds {guests.done}, restarts {status.restarts}, dropped by the others {dropped}\n")
    for name, (handles, threads, kilobytes) in guests.after.items():
        h, t, kb = guests.before[name]
        say(f"{name:12s} handles {h} -> {handles}, threads {t} -> {threads}, memory {kilobytes - kb:+d} KB\n")
    phases = {what: _latencies(guests, faces, {what}) for what in ("quiet", "there", "coming", "leaving")}
    for what, found in phases.items():
        say(f"{what:8s} {found.size:6d} faces, p50 {np.percentile(found, 50):.0f} ms, p99 {np.percentile(found, 99):.0f} ms\n")
    quiet, there = (float(np.percentile(phases[what], 99)) for what in ("quiet", "there"))
    changing = float(np.percentile(_latencies(guests, faces, {"coming", "leaving"}), 99))
    say(f"packet to message, p99 of the others: {quiet:.0f} ms alone, {there:.0f} ms beside the guest, {changing:.0f} ms\n")
    say(f"while it comes and goes: {changing / quiet:.2f} times the first, {changing / there:.2f} times the second\n")


def _latencies(guests: Guests, faces: Faces, whats: Set[str]) -> NDArray[np.float64]:
    """Return milliseconds from packet to message of the faces that were sent then."""
    windows = [(first, last) for what, first, last in guests.windows if what in whats]
    return np.array([ms for sent, ms in faces.seen if any(first <= sent < last for first, last in windows)] or [np.nan])


if __name__ == "__main__":
    main()
