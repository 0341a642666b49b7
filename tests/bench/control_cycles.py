"""A camera is added, changed and removed many times, as a client does, beside three others: what is left, and what they notice.

Run: python -m tests.bench.control_cycles [CYCLES] [--over http] [--console] [--json FILE]

Quiet time, time in which a guest stays, and cycles take turns, so that all see the same machine, however busy it is. With
``--console`` the page is open all the time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.camera_turn import Faces
from tests.bench.cycle_ways import OverControl, OverHttp, Way
from tests.bench.open_console import OpenConsole
from tests.bench.processes import Held, Samples, marked
from tests.e2e.live_run import make_clip
from tests.e2e.serving import Serving
from tests.rtsp.clips import numbered_clip
from tests.rtsp.server import GstServer

OTHERS = ("one", "two", "three")
_STEADY_SECONDS, _THERE_SECONDS, _CYCLES_IN_TURN = 6.0, 4.0, 20
_FIRST_TURNS = 3
"""Not counted among the windows: they load what stays."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def held(mark: str) -> dict[str, tuple[Held, int]]:
    """Return what the service and all its processes hold, and how many sockets."""
    found = {}
    for pid in sorted(marked(mark)):
        folder = Path(f"/proc/{pid}")
        try:
            files = [os.readlink(folder / "fd" / one) for one in os.listdir(folder / "fd")]
            mb = int((folder / "statm").read_text().split()[1]) * _PAGE_BYTES / 1e6
            now = Held(mb, len(files), len(os.listdir(folder / "task")))
            name = _name_of(folder)
        except OSError:
            continue  # it has just ended, or closed a file
        found[name] = now, sum(one.startswith("socket:") for one in files)
    return found


def _name_of(folder: Path) -> str:
    command = (folder / "cmdline").read_bytes()
    names = {b"engine\0serve": "service", b"web.process": "web", b"resource_tracker": "resource tracker"}
    named = (folder / "comm").read_text().strip()
    return named if named.startswith("fs-") else next((name for part, name in names.items() if part in command), "fork server")


class Cycles:
    """Adds, changes and removes guests, each under the next one of so many names."""

    def __init__(self, service: Serving, way: Way, uri: str, names: int) -> None:
        self.service, self.way, self.uri, self.names = service, way, uri, names
        self.windows: list[tuple[str, int, int, int]] = []
        self.number = self.turn = 0

    def quiet(self) -> None:
        """Let time go by, in which the others are alone, and in which a guest is there."""
        self.during("quiet", lambda: time.sleep(_STEADY_SECONDS))
        name = self._add()
        self.during("there", lambda: time.sleep(_THERE_SECONDS))
        self._remove(name)

    def cycles(self, count: int) -> None:
        """Let guests come, change and go."""
        for _ in range(count):
            self.during("changing", self._all)
        self.turn += 1

    def _all(self) -> None:
        name = self._add()
        self.way.change(name)
        self._remove(name)

    def _add(self) -> str:
        self.number += 1
        name = f"g{self.number % self.names:04d}"
        self.way.add(name, self.uri)
        self._wait(lambda: self.way.frames(name) > 0)
        return name

    def _remove(self, name: str) -> None:
        self.way.remove(name)
        self._wait(lambda: not self.way.is_alive(name) and f"fs-camera-{name}" not in self.service.workers)

    def _wait(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert self.service.process.poll() is None, self.service.said
            time.sleep(0.05)

    def during(self, what: str, act: Callable[[], object]) -> None:
        since = time.time_ns()
        act()
        self.windows.append((what, self.turn, since, time.time_ns()))

    def latencies(self, faces: Faces, what: str, turn: int | None = None) -> NDArray[np.float64]:
        """Return milliseconds from packet to message of the others' faces that were sent then."""
        windows = [(first, last) for name, of, first, last in self.windows if name == what and turn in (None, of)]
        sent, ms = (np.array(column) for column in zip(*faces.seen, strict=True))
        chosen = np.zeros(sent.shape, bool)
        for first, last in windows:
            chosen |= (sent >= first) & (sent < last)
        return ms[chosen]


class Figures:
    """What is measured from turn to turn."""

    def __init__(self) -> None:
        self.samples = Samples()
        self.page = Samples()
        self.pages: list[dict[str, float]] = []

    def look(self, mark: str, console: OpenConsole | None) -> None:
        """Measure now; whoever is about to go or to come makes it no other one."""
        self.samples.add(time.monotonic(), {name: one for name, (one, _) in held(mark).items()})
        if console is not None:
            self.pages.append(console.look())
            self.page.add(time.monotonic(), {"page": Held(self.pages[-1]["heap_mb"], 0, 0)})

    def memory(self) -> dict[str, dict[str, float]]:
        """Return MB at the first look and at the last one, and MB an hour by least squares without the first fifth."""
        slopes = self.samples.slopes() | {"page": self.page.slopes().get("page", float("nan"))}
        rows = [mb | {"total": sum(mb.values())} for _, mb in self.samples.rows]
        pages = [mb for _, mb in self.page.rows]
        found = {name: {"mb_an_hour": 3600 * slope} for name, slope in slopes.items()}
        for name, one in found.items():
            seen = [row[name] for row in (pages if name == "page" else rows) if name in row]
            if seen:
                one |= {"first_mb": seen[0], "last_mb": seen[-1]}
        return found


def p99s(cycles: Cycles, faces: Faces) -> dict[str, Any]:
    """Return the others' percentiles in each kind of time, and the ratios of turns to each other."""
    found: dict[str, Any] = {}
    for what in ("quiet", "there", "changing"):
        ms = cycles.latencies(faces, what)
        found[what] = {"faces": ms.size} | {f"p{share}_ms": float(np.percentile(ms, share)) for share in (50, 95, 99)}
    turns = [
        [float(np.percentile(ms, 99)) for what in found if (ms := cycles.latencies(faces, what, turn)).size > 30]
        for turn in range(cycles.turn)
    ]
    whole = np.array([one for one in turns if len(one) == len(found)])
    found["p99_to_quiet"] = found["changing"]["p99_ms"] / found["quiet"]["p99_ms"]
    found["p99_to_there"] = found["changing"]["p99_ms"] / found["there"]["p99_ms"]
    if len(whole):
        found["median_of_turns_to_quiet"] = float(np.median(whole[:, 2] / whole[:, 0]))
        found["median_of_turns_to_there"] = float(np.median(whole[:, 2] / whole[:, 1]))
    return found


def measure(folder: Path, options: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Run it all, and return the figures."""
    clip, detector = make_clip(folder)
    guest = numbered_clip(folder / "guest.h264", size_px=(160, 120), fps=5)
    server = stack.enter_context(GstServer({"cam": clip}))
    guests_server = stack.enter_context(GstServer({"guest": guest}))
    endpoint = f"ipc://{folder}/private/faces"
    sources = "".join(f'  - {{uri: "{server.url("cam")}", name: {name}}}\n' for name in OTHERS)
    more = f"sources:\n{sources}publish: {{endpoint: '{endpoint}'}}\noutput: {{keep_pictures_days: 1}}\n"
    detect = "every: 3" + (f", detector: '{detector[1]}'" if detector[0] == "--detector" else "")
    http = "127.0.0.1:0" if options.over == "http" else ""
    mark = f"FACESTREAM_CYCLES={os.getpid()}"
    os.environ["FACESTREAM_CYCLES"] = str(os.getpid())
    service = stack.enter_context(Serving(folder, more, detect=detect, policy="every", http=http, record=True))
    del os.environ["FACESTREAM_CYCLES"]
    service.wait(lambda: all(service.streams()[name].frames > 20 for name in OTHERS), 900)
    way: Way = OverHttp(service) if http else OverControl(service)
    stack.callback(way.close)
    faces = Faces(endpoint, OTHERS)
    faces.start()
    console = None
    if options.console:
        assert isinstance(way, OverHttp), "the console needs --over http"
        console = OpenConsole(way.url, way.token)
        stack.callback(console.close)
    cycles, figures = Cycles(service, way, guests_server.url("guest"), options.names), Figures()
    for _ in range(_FIRST_TURNS):
        cycles.cycles(2)
        if console is not None:
            console.look()
    cycles.windows.clear()
    cycles.turn = 0
    before, began, done = held(mark), time.monotonic(), 0
    while done < options.cycles and time.monotonic() - began < 60 * options.minutes:
        figures.look(mark, console)
        cycles.quiet()
        cycles.cycles(min(_CYCLES_IN_TURN, options.cycles - done))
        done += min(_CYCLES_IN_TURN, options.cycles - done)
        sys.stderr.write(f"{done} cycles, {(time.monotonic() - began) / 60:.1f} min\n")
    minutes = (time.monotonic() - began) / 60
    service.wait(lambda: held(mark).keys() == before.keys())
    figures.look(mark, console)
    after = held(mark)
    faces.stop()
    status = service.status()
    return {
        "cycles": done, "minutes": minutes, "restarts": sum(one.restarts for one in status.workers),
        "workers": {"before": sorted(before), "after": sorted(after), "status": len(status.workers)},
        "held": {
            name: {"before": asdict(before[name][0]) | {"sockets": before[name][1]},
                   "after": asdict(after[name][0]) | {"sockets": after[name][1]}}
            for name in before
        },
        "memory": figures.memory(), "latency": p99s(cycles, faces), "pages": figures.pages[:: max(1, len(figures.pages) // 12)],
        "page_faults": console.faults if console else [], "samples": figures.samples.rows, "code": _stopped(service, console),
    }  # fmt: skip


def _stopped(service: Serving, console: OpenConsole | None) -> int:
    if console is not None:
        console.page.close()
    return service.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cycles", type=int, nargs="?", default=1000, help="about 4 s each")
    parser.add_argument("--over", choices=("control", "http"), default="control")
    parser.add_argument("--names", type=int, default=20, help="of guests; what is kept by name grows with each new one")
    parser.add_argument("--console", action="store_true", help="keep the console open in Chromium")
    parser.add_argument("--minutes", type=float, default=600.0, help="end after so many, however many cycles there were")
    parser.add_argument("--folder", type=Path, help="for what the service keeps and says; else one that is removed")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = measure(folder, options, stack)
    if options.json:
        options.json.write_text(json.dumps(found))
    del found["samples"]
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
