"""What the server does with the session of a node, whatever the node does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from engine.errors import DatabaseError
from engine.fleet.file import Fleet, FleetCamera
from engine.fleet.lease import Lease, abort
from engine.fleet.schema import NODE
from engine.fleet.store import apply
from engine.fleet.view import About, Load, fleet_view
from tests.patience import until
from tests.processes import bound

Connection = psycopg.Connection[Any]
SECONDS, BRIEF = 60.0, 2.0
"""Of a lease that no busy machine misses, and of one whose end is waited for."""
DOOR, YARD = (FleetCamera(uri=f"rtsp://192.0.2.1/{name}", name=name) for name in ("door", "yard"))
HOLD = """
import sys, time
from engine.fleet.lease import Lease
from engine.fleet.view import About, Load
lease = Lease(sys.argv[1], sys.argv[2], float(sys.argv[4]))
lease.prepare(), lease.announce(About()), lease.take_node()
while True:
    lease.renew(Load(running=True), 1, settled=True)
    print("held", flush=True)
    if sys.argv[3] == "transaction":
        lease.connection.execute("BEGIN")
    time.sleep(0.3)
"""


@pytest.fixture
def lease(connection: Connection, database: str) -> Iterator[Lease]:
    apply(connection, Fleet(cameras=(DOOR, YARD), lease_seconds=SECONDS))
    mine = Lease(database, "mine", SECONDS)
    assert mine.prepare() == SECONDS
    mine.announce(About())
    assert mine.take_node()
    yield mine
    mine.close()


def place(connection: Connection, name: str, node: str, holder: str | None = None) -> None:
    connection.execute(
        "INSERT INTO fleet.placements (camera, node, holder) VALUES (%s, %s, %s) ON CONFLICT (camera) DO UPDATE "
        "SET node = excluded.node, holder = excluded.holder",
        (name, node, holder),
    )


@pytest.mark.alone
def test_a_node_that_hangs_loses_its_locks_by_the_servers_clock(connection: Connection, database: str) -> None:
    """Between two statements, and within a transaction."""
    apply(connection, Fleet(cameras=(DOOR, YARD), lease_seconds=BRIEF))
    with ExitStack() as closing:
        children = []
        for name, within in (("idle", ""), ("busy", "transaction")):
            command = [sys.executable, "-c", HOLD, database, name, within, str(BRIEF)]
            child = closing.enter_context(subprocess.Popen(bound(command), stdout=subprocess.PIPE))
            closing.callback(child.kill)
            children.append(child)
        for child in children:
            assert child.stdout is not None
            assert [child.stdout.readline() for _ in range(3)] == [b"held\n"] * 3, "it goes on"
        stopped = time.monotonic()
        for child in children:
            os.kill(child.pid, signal.SIGSTOP)
        held = "SELECT count(*) FROM fleet.presence WHERE name IN ('idle', 'busy') AND held"
        until(lambda: connection.execute(held).fetchone() != (2,))
        assert time.monotonic() - stopped > BRIEF - 0.5
        until(lambda: connection.execute(held).fetchone() == (0,))
        assert time.monotonic() - stopped < BRIEF + 1.0


def test_a_camera_is_taken_where_it_is_placed_and_free(lease: Lease, connection: Connection) -> None:
    place(connection, "door", "mine")
    place(connection, "yard", "elsewhere")
    assert lease.take(DOOR)
    assert not lease.take(YARD)
    assert lease.held == {"door"}
    assert fleet_view(connection).cameras[0].holder == "mine"
    lease.give_back("door")
    assert lease.held == set()
    assert fleet_view(connection).cameras[0].holder == ""


def test_a_camera_that_was_not_given_back_is_taken_over_from_the_missing_alone(lease: Lease, connection: Connection) -> None:
    lease.renew(Load(), 1, settled=True)
    connection.execute("INSERT INTO fleet.nodes (name, about, seen) VALUES ('other', '{}', 1)")
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (NODE + "other",))
    place(connection, "door", "mine", "other")
    assert not lease.take(DOOR), "it is there"
    connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (NODE + "other",))
    assert not lease.take(DOOR), "it was there a moment ago"
    connection.execute("UPDATE fleet.nodes SET renewed = renewed - interval '90 s' WHERE name = 'other'")
    connection.execute("UPDATE fleet.placements SET kept = true")
    lease.renew(Load(), 1, settled=True)
    assert not lease.take(DOOR), "it keeps it for ever"
    connection.execute("UPDATE fleet.placements SET kept = false")
    lease.renew(Load(), 1, settled=False)
    assert not lease.take(DOOR), "half are not there"
    lease.renew(Load(), 1, settled=True)
    assert lease.take(DOOR)


def test_a_session_that_is_ended_from_here_holds_nothing_up(lease: Lease, connection: Connection) -> None:
    abort(lease.connection)
    with pytest.raises(DatabaseError, match="the database postgresql://facestream@127"):
        lease.renew(Load(), 1, settled=False)
    lease.close()
    until(lambda: not connection.execute("SELECT held FROM fleet.presence").fetchone()[0])  # type: ignore[index]


def test_a_node_that_was_forgotten_comes_anew(lease: Lease, connection: Connection) -> None:
    connection.execute("DELETE FROM fleet.nodes")
    with pytest.raises(DatabaseError, match="the node mine was forgotten, and joins again"):
        lease.renew(Load(), 1, settled=False)
