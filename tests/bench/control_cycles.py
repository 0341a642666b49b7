"""A camera is added, changed and removed many times, as a client does, beside three others: what is left, and what they notice.

Run: python -m tests.bench.control_cycles [CYCLES]

Quiet time, time in which the guest stays, and cycles take turns, so that all see the same machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config import SourceConfig
from engine.control.answers import Done, Stream
from engine.control.verbs import AddStream, ChangeStream, RemoveStream
from tests.bench.camera_turn import Faces
from tests.e2e.live_run import make_clip
from tests.e2e.serving import Serving
from tests.e2e.test_processes import children_of
from tests.rtsp.server import GstServer

OTHERS = ("one", "two", "three")
_STEADY_SECONDS, _CYCLES_IN_TURN = 10.0, 25
Held = dict[str, tuple[int, int, int, int]]


def held(service: Serving) -> Held:
    """Return descriptors, sockets, threads and resident KB of the service and its workers."""
    found = {}
    for name, pid in {"service": service.process.pid, **children_of(service.process.pid)}.items():
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
        files = [os.readlink(f"/proc/{pid}/fd/{one}") for one in os.listdir(f"/proc/{pid}/fd")]
        sockets = sum(one.startswith("socket:") for one in files)
        found[name] = (len(files), sockets, int(status["Threads"]), int(status["VmRSS"].split()[0]))
    return {name: values for name, values in found.items() if name == "service" or name.startswith("fs-")}


class Cycles:
    """Adds, changes and removes the guest."""

    def __init__(self, service: Serving, uri: str) -> None:
        self.service, self.uri = service, uri
        self.windows: list[tuple[str, int, int]] = []

    def quiet(self) -> None:
        """Let time go by, in which the others are alone, and in which the guest is there."""
        self._during("quiet", lambda: time.sleep(_STEADY_SECONDS))
        self._add()
        self._during("there", lambda: time.sleep(_STEADY_SECONDS))
        self._remove()

    def cycle(self) -> None:
        """Let the guest come, change and go."""
        self._during("changing", self._all)

    def _all(self) -> None:
        self._add()
        self.service.client.call(ChangeStream(name="guest", changes={"detect_fps": 3.0}), Stream)
        self._remove()

    def _add(self) -> None:
        self.service.client.call(AddStream(source=SourceConfig(uri=self.uri, name="guest")), Stream)
        self.service.wait(lambda: self.service.streams()["guest"].frames > 0)

    def _remove(self) -> None:
        self.service.client.call(RemoveStream(name="guest"), Done)
        self.service.wait(self._is_gone)

    def _is_gone(self) -> bool:
        """Whether the guest's process has ended, and none comes that a change before it had asked for."""
        workers = {one.name: one for one in self.service.status().workers}
        return "fs-camera-guest" not in self.service.workers and not workers["camera-guest"].alive

    def _during(self, what: str, act: Callable[[], None]) -> None:
        since = time.time_ns()
        act()
        self.windows.append((what, since, time.time_ns()))

    def latencies(self, faces: Faces, what: str) -> NDArray[np.float64]:
        """Return milliseconds from packet to message of the others' faces that were sent then."""
        windows = [(first, last) for name, first, last in self.windows if name == what]
        return np.array([ms for sent, ms in faces.seen if any(first <= sent < last for first, last in windows)] or [np.nan])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cycles", type=int, nargs="?", default=1000, help="about 4 s each")
    cycles = parser.parse_args().cycles
    with tempfile.TemporaryDirectory() as folder:
        clip, options = make_clip(Path(folder))
        endpoint = f"ipc://{folder}/private/faces"
        with GstServer({"cam": clip}) as server, GstServer({"cam": clip}) as guests_server:
            os.setpriority(os.PRIO_PROCESS, guests_server.pid, 10)
            detector = f", detector: '{options[1]}'" if options[0] == "--detector" else ""
            more = "".join(
                [
                    "sources:\n",
                    *(f'  - {{uri: "{server.url("cam")}", name: {name}}}\n' for name in OTHERS),
                    f"publish: {{endpoint: '{endpoint}'}}\n",
                ]
            )
            with Serving(Path(folder), more, detect=f"every: 1{detector}", policy="every") as service:
                service.wait(lambda: all(service.streams()[name].frames > 20 for name in OTHERS))
                faces = Faces(endpoint, OTHERS)
                faces.start()
                guests = Cycles(service, guests_server.url("cam"))
                for _ in range(3):  # the first ones load what stays
                    guests.cycle()
                guests.windows.clear()
                before = held(service)
                for number in range(cycles):
                    if number % _CYCLES_IN_TURN == 0:
                        guests.quiet()
                    guests.cycle()
                service.wait(lambda: held(service).keys() == before.keys())
                after = held(service)
                faces.stop()
                status = service.status()
                code = service.stop()
    say = sys.stdout.write
    say(f"{cycles} cycles, exit code {code}, restarts {sum(one.restarts for one in status.workers)}\n")
    say(f"processes {sorted(before)} -> {sorted(after)}\n")
    for name, (files, sockets, threads, kilobytes) in after.items():
        f, s, t, kb = before[name]
        say(f"{name:16s} files {f} -> {files}, sockets {s} -> {sockets}, threads {t} -> {threads}, {kilobytes - kb:+d} KB\n")
    found = {what: guests.latencies(faces, what) for what in ("quiet", "there", "changing")}
    for what, ms in found.items():
        say(f"{what:9s} {ms.size} faces, p50 {np.percentile(ms, 50):.0f} ms, p99 {np.percentile(ms, 99):.0f} ms\n")
    quiet, there, changing = (float(np.percentile(one, 99)) for one in found.values())
    ratios = f"{changing / quiet:.2f} times alone, {changing / there:.2f} times beside it"
    say(f"p99 of the others while it comes and goes: {ratios}\n")


if __name__ == "__main__":
    main()
