"""Three nodes in network namespaces with real cameras, while one thing after another fails.

Run as root: python -m tests.bench.fleet_faults [--faults NAME ...] [--window 60] [--bridges] [--faketime LIBRARY] [--json FILE]

A subscriber to each node, outside of all namespaces, records who publishes which camera when, by one clock. For each fault: how
long the cameras of the node that failed were dark, for how long two nodes published the same camera (the last face of one node
behind the first of the other), and how the age of faces of the other cameras stands to that just before: those of nodes to
which nothing happens, and those of nodes that take a camera over. With ``--bridges`` a bridge carries what each node publishes
to one NATS server all the while, and bridges and server are killed at random moments.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from rich.console import Console
from rich.table import Table

from engine.errors import DatabaseError
from engine.fleet.file import Fleet as Wanted
from engine.fleet.file import FleetCamera
from engine.fleet.rebalance import rebalance
from engine.fleet.store import apply, drain, undrain
from engine.fleet.view import NodeView
from tests.bench.fleet_bridges import Bridges
from tests.bench.fleet_world import Fleet, NodeProcess, Sent
from tests.e2e.live_run import FOOTAGE, MODEL
from tests.rtsp.clips import recorded_clip
from tests.rtsp.server import GstServer

CONSOLE = Console(width=160)
CAMERAS = ("c0", "c1", "c2")
WINDOW_SECONDS, START_SECONDS = 20.0, 240.0
AFTER_SECONDS = 15.0
CUT_SECONDS = 60.0


class Faults:
    """What can fail, each from a state in which all is well to one in which it is again.

    Args:
        fleet: three nodes.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def killed(self, node: NodeProcess) -> Callable[[], None]:
        """SIGKILL of the service."""
        node.process.kill()
        node.process.wait()
        return lambda: node.start() and None

    def stopped(self, node: NodeProcess) -> Callable[[], None]:
        """SIGSTOP of the service's own process, for 20 s: its workers go on."""
        node.process.send_signal(signal.SIGSTOP)
        time.sleep(20.0)
        return lambda: node.process.send_signal(signal.SIGCONT)

    def cable(self, node: NodeProcess) -> Callable[[], None]:
        """The cable is out for a minute."""
        node.machine.link(up=False)
        time.sleep(CUT_SECONDS)
        return lambda: node.machine.link(up=True)

    def dropped(self, node: NodeProcess) -> Callable[[], None]:
        """For a minute all packets between node and database are dropped; the cameras and the other nodes are reached."""
        for machine in (node.machine, self.fleet.database_machine):
            machine.isolate(True)
        time.sleep(CUT_SECONDS)
        return lambda: [machine.isolate(False) for machine in (node.machine, self.fleet.database_machine)] and None

    def slow(self, node: NodeProcess) -> Callable[[], None]:
        """For half a minute the node's link carries 400 kbit/s, with up to 400 ms of waiting, and loses the rest."""
        node.machine.slow(400)
        time.sleep(30.0)
        return lambda: node.machine.slow(0)

    def database(self, node: NodeProcess) -> Callable[[], None]:
        """The database is killed, and is away for 30 s."""
        self.fleet.database.stop(kill=True)
        time.sleep(30.0)
        return self.fleet.database.start

    def drained(self, node: NodeProcess) -> Callable[[], None]:
        """The operator drains the node."""
        with psycopg.connect(self.fleet.url, autocommit=True) as connection:
            drain(connection, node.name)
        self.fleet.wait(lambda: node.name not in self.fleet.holders().values(), 60.0, f"{node.name} is drained")

        def again() -> None:
            with psycopg.connect(self.fleet.url, autocommit=True) as connection:
                undrain(connection, node.name)

        return again


ALL = ("killed", "stopped", "cable", "dropped", "slow", "database", "drained")


def measure(fleet: Fleet, fault: str, window_seconds: float = WINDOW_SECONDS) -> dict[str, Any]:
    """Let one thing fail for the node of the first camera, and return what was seen.

    Args:
        fleet: three nodes that read their cameras.
        fault: one of ``ALL``.
        window_seconds: how long faces are taken before the fault, and at least in its time: a p99 wants a few hundred.
    """
    settle(fleet)
    spread(fleet)
    holders = fleet.holders()
    node = fleet.nodes[holders["c0"]]
    mine = sorted(camera for camera, holder in holders.items() if holder == node.name)
    quiet = time.monotonic()
    time.sleep(window_seconds)
    began = time.monotonic()
    undo = getattr(Faults(fleet), fault)(node)
    time.sleep(max(0.0, began + window_seconds - time.monotonic()))
    ended = time.monotonic()
    undo()
    settle(fleet)
    moved = {name: holder for name, holder in fleet.holders().items() if holder != holders[name]}
    time.sleep(AFTER_SECONDS)
    sent = fleet.sent
    taking = sorted(name for name, holder in holders.items() if holder in moved.values() and name not in mine)
    elsewhere = sorted(set(CAMERAS) - set(mine) - set(taking))
    dark = [dark_seconds([one.taken for one in sent if one.stream == camera], began - 1.0) for camera in mine]
    idle = [dark_seconds([one.taken for one in sent if one.stream == camera], quiet, began) for camera in CAMERAS]
    return {
        "fault": fault,
        "node": node.name,
        "cameras": mine,
        "moved": sorted(moved),
        "dark_s": round(max(dark), 2),
        "usual_gap_s": round(max(idle), 2),
        "together_s": round(max((together(sent, camera, quiet) for camera in CAMERAS), default=0.0), 2),
        "elsewhere": ages(sent, elsewhere, quiet, began, ended),
        "taking": ages(sent, taking, quiet, began, ended),
        "load": round(os.getloadavg()[0], 1),
    }


def spread(fleet: Fleet) -> None:
    """Give each node one camera, so that a node that gets another one and a node that nothing happens to can be told apart."""

    def even() -> bool:
        return len(set(fleet.holders().values())) == len(CAMERAS)

    if not even():
        with psycopg.connect(fleet.url, autocommit=True) as connection:
            rebalance(connection)
        fleet.wait(even, START_SECONDS, "each node has one camera")
        settle(fleet)


def ages(sent: Sequence[Sent], cameras: Sequence[str], quiet: float, began: float, ended: float) -> dict[str, Any]:
    """Return how old the faces of some cameras were before a fault, and in its time.

    Args:
        sent: all faces.
        cameras: whose are counted.
        quiet: since when all was well (monotonic seconds).
        began: when the fault came.
        ended: when it was over.
    """
    windows = ("before", quiet, began), ("during", began, ended)
    found = {name: [one.age_ms for one in sent if one.stream in cameras and a <= one.taken < b] for name, a, b in windows}
    if not all(found.values()):
        return {"cameras": list(cameras), "ratio": None}
    p99 = {name: float(np.percentile(some, 99)) for name, some in found.items()}
    faces = {f"faces_{name}": len(some) for name, some in found.items()}
    rounded = {f"p99_{name}_ms": round(age, 1) for name, age in p99.items()}
    return {"cameras": list(cameras), **faces, **rounded, "ratio": round(p99["during"] / p99["before"], 2)}


def nodes_of(fleet: Fleet) -> Sequence[NodeView]:
    """Return the nodes, none as long as the database holds no fleet."""
    with suppress(DatabaseError):
        return fleet.view().nodes
    return ()


def settle(fleet: Fleet) -> None:
    """Wait until all nodes are there and may count, and each camera is read where it should be."""

    def well() -> bool:
        try:
            view = fleet.view()
        except psycopg.Error:
            return False
        newest = {camera: max((one.taken for one in fleet.sent if one.stream == camera), default=0.0) for camera in CAMERAS}
        fresh = all(time.monotonic() - taken < 3.0 for taken in newest.values())
        return view.quorum and all(node.alive for node in view.nodes) and not any(one.wanted for one in view.cameras) and fresh

    fleet.wait(well, START_SECONDS, "all is well")
    time.sleep(fleet.view().lease_seconds)


def dark_seconds(taken: list[float], after: float, before: float = float("inf")) -> float:
    """Return the longest time without a face within an interval."""
    moments = sorted(one for one in taken if after <= one <= before)
    return max((later - earlier for earlier, later in pairwise(moments)), default=float("inf"))


def together(sent: list[Sent], camera: str, after: float) -> float:
    """Return for how long two nodes published a camera: from the first face of the next node to the last of the one before,
    unless that had been given the camera anew meanwhile."""
    faces = [one for one in sent if one.stream == camera and one.taken >= after]
    longest, first_of = 0.0, dict[tuple[str, int], float]()
    for one, later in pairwise(faces):
        mine, next_one = (one.node, one.life), (later.node, later.life)
        first_of.setdefault(mine, one.taken)
        if next_one != mine and first_of.pop(next_one, None) is not None:  # it was there before, and is again
            longest = max(longest, later.taken - first_of[mine])
    return longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", nargs="*", choices=ALL, default=ALL)
    parser.add_argument("--window", type=float, default=WINDOW_SECONDS, help="seconds of faces on each side of a fault's begin")
    parser.add_argument("--bridges", action="store_true", help="to NATS, killed at random moments")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of these kills")
    parser.add_argument("--faketime", type=Path, help="libfaketime.so.1: the clock of the second node is 5 s ahead")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    prefix = ["env", f"LD_PRELOAD={given.faketime}", "FAKETIME=+5s", "FAKETIME_DONT_FAKE_MONOTONIC=1"] if given.faketime else []
    with tempfile.TemporaryDirectory(prefix="facestream-fleet-") as name:
        folder = Path(name)
        clip = recorded_clip(FOOTAGE, folder / "signer.h264", size_px=(320, 240), fps=5, seconds=4.0)
        with ExitStack() as closing:
            fleet = closing.enter_context(Fleet(folder, ("a", "b", "c"), str(MODEL), {"b": prefix}))
            cameras = closing.enter_context(GstServer(dict.fromkeys(CAMERAS, clip), host=fleet.network.address(1)))
            fleet.wait(lambda: sum(node.load.running for node in nodes_of(fleet)) == 3, START_SECONDS, "three nodes are there")
            wanted = Wanted(cameras=tuple(FleetCamera(uri=cameras.url(camera), name=camera) for camera in CAMERAS))
            with psycopg.connect(fleet.url, autocommit=True) as connection:
                apply(connection, wanted)
            bridges = closing.enter_context(Bridges(fleet.nodes.values(), folder, given.seed)) if given.bridges else None
            rows = []
            for fault in given.faults:
                rows.append(measure(fleet, fault, given.window))
                CONSOLE.print(rows[-1])
            carried = bridges.count() if bridges else {}
    show(rows)
    if carried:
        CONSOLE.print(carried)
    if given.json:
        given.json.write_text(json.dumps({"faults": rows, "carried": carried}, indent=1))


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    columns = ("fault", "node", "cameras", "moved", "usual_gap_s", "dark_s", "together_s", "load")
    told = ("faces_before", "faces_during", "p99_before_ms", "p99_during_ms", "ratio")
    table = Table(*columns, *(f"{group}: p99 ms" for group in ("elsewhere", "taking")), title="three nodes, three cameras")
    for row in rows:
        plain = (" ".join(row[one]) if isinstance(row[one], list) else str(row[one]) for one in columns)
        groups = (row["elsewhere"], row["taking"])
        table.add_row(*plain, *(" ".join(str(group[one]) for one in told if one in group) for group in groups))
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
