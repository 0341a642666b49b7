"""Nodes that meet in a real database: cameras are given, moved and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.fleet.file import Fleet, FleetCamera
from engine.fleet.permit import Permit, now_seconds
from engine.fleet.rebalance import rebalance
from engine.fleet.rows import CANNOT_BE_READ
from engine.fleet.store import apply, drain, forget, undrain
from engine.fleet.view import fleet_view
from tests.fleet.nodes import Node, overlaps, settled
from tests.patience import until
from tests.servers.postgres import PostgresServer

Connection = psycopg.Connection[Any]
Begin = Callable[..., Node]
LEASE = 2.0
"""Of tests that wait for its end, and run alone; the others have a long one, which a busy machine keeps."""


def camera(name: str, **more: Any) -> FleetCamera:
    return FleetCamera(uri=f"rtsp://192.0.2.1/{name}", name=name, **more)


def fleet(*cameras: FleetCamera, lease_seconds: float = 30.0) -> Fleet:
    return Fleet(cameras=cameras, lease_seconds=lease_seconds)


@pytest.fixture
def begin(database: str, tmp_path: Path) -> Iterator[Begin]:
    with ExitStack() as closing:
        yield lambda name, **config: closing.enter_context(Node(name, database, tmp_path, **config))


def test_cameras_are_spread_drained_and_follow_the_file(connection: Connection, begin: Begin) -> None:
    apply(connection, fleet())
    a, b = settled(begin("a", labels={"site": "north"}), begin("b"))
    apply(connection, fleet(*(camera(f"c{number}") for number in range(4))))
    until(lambda: len(a.cameras.names) == len(b.cameras.names) == 2)
    assert a.cameras.names | b.cameras.names == {"c0", "c1", "c2", "c3"}
    until(lambda: not any(one.wanted for one in fleet_view(connection).cameras))
    drain(connection, "a")
    until(lambda: len(b.cameras.names) == 4)
    assert not a.cameras.names
    starts = sorted(began for _, began, _ in a.cameras.runs)
    ends = sorted(ended for _, _, ended in a.cameras.runs)
    assert len(ends) == 2
    assert ends[1] > starts[0]
    undrain(connection, "a")
    apply(connection, fleet(camera("c0", needs={"site": "north"}), camera("new", needs={"site": "south"}), camera("c1")))
    until(lambda: a.cameras.names == {"c0"} and b.cameras.names == {"c1"})
    reason = "no node can have it: a, b (lacks the label site=south)"
    until(lambda: reason == {one.name: one for one in fleet_view(connection).cameras}["new"].reason)
    assert overlaps([a, b]) == []


def test_what_a_node_cannot_read_goes_elsewhere(connection: Connection, begin: Begin) -> None:
    apply(connection, fleet())
    a, b = settled(begin("a"), begin("b"))
    a.cameras.refuses["door"] = "there is no file door.txt"
    apply(connection, fleet(camera("door", prefers=("a",))))
    until(lambda: b.cameras.names == {"door"})
    b.cameras.refuses["yard"] = a.cameras.refuses["yard"] = "there is no file yard.txt"
    apply(connection, fleet(camera("door"), camera("yard")))
    reason = "no node can have it: a, b (cannot read it: there is no file yard.txt)"
    until(lambda: reason == {one.name: one for one in fleet_view(connection).cameras}["yard"].reason)


def test_an_entry_that_cannot_be_read_stops_that_camera_alone(connection: Connection, begin: Begin) -> None:
    """Every node ended its session for it, again and again."""
    apply(connection, fleet(camera("door"), camera("yard")))
    (a,) = settled(begin("a"))
    until(lambda: a.cameras.names == {"door", "yard"})
    connection.execute("""UPDATE fleet.cameras SET camera = '{"uri": 5, "name": "yard"}' WHERE name = 'yard'""")
    until(lambda: a.cameras.names == {"door"})
    told = "SELECT fault FROM fleet.faults WHERE node = 'a' AND camera = 'yard'"
    until(lambda: connection.execute(told).fetchone() == (CANNOT_BE_READ,))
    apply(connection, fleet(camera("door"), camera("new"), camera("yard", detect_fps=2.0)))
    until(lambda: "new" in a.cameras.names)
    assert [began for name, began, _ in a.cameras.runs if name == "door"] == []
    assert not any("ValidationError" in line for line in a.said)


def test_a_node_that_has_come_gets_its_share_when_the_operator_says_so(connection: Connection, begin: Begin) -> None:
    apply(connection, fleet())
    a, b = settled(begin("a"), begin("b"))
    apply(connection, fleet(*(camera(f"c{number}") for number in range(6))))
    until(lambda: len(a.cameras.names) == len(b.cameras.names) == 3)
    (c,) = settled(begin("c"))
    until(lambda: len(fleet_view(connection).nodes) == 3 and fleet_view(connection).nodes[2].load.running)
    planned = rebalance(connection, dry_run=True)
    assert [move.after for move in planned] == ["c", "c"]
    assert {move.before for move in planned} == {"a", "b"}
    assert rebalance(connection) == planned, "nothing has moved"
    until(lambda: [len(node.cameras.names) for node in (a, b, c)] == [2, 2, 2])
    assert c.cameras.names == {move.camera for move in planned}
    until(lambda: not any(one.wanted for one in fleet_view(connection).cameras))
    assert rebalance(connection) == []
    assert overlaps([a, b, c]) == []
    until(lambda: connection.execute("SELECT count(*) FROM fleet.wishes").fetchone() == (0,))


@pytest.mark.alone
def test_a_database_that_was_away_moves_nothing(
    connection: Connection, begin: Begin, server: PostgresServer, database: str
) -> None:
    apply(connection, fleet(camera("c0"), camera("c1"), camera("own", only="a"), lease_seconds=LEASE))
    nodes = settled(begin("a"), begin("b"))
    until(lambda: sum(len(node.cameras.names) for node in nodes) == 3)
    before = [node.cameras.names for node in nodes]
    connection.close()
    server.stop(kill=True)
    over = now_seconds() + LEASE  # for who asks nobody
    until(lambda: all(any("fleet: the database" in line for line in node.said) for node in nodes))
    until(lambda: all(not node.agent._permission.has_session for node in nodes))
    until(lambda: now_seconds() > over)
    assert [node.cameras.names for node in nodes] == before
    server.start()
    until(lambda: all("fleet: the database answers again" in node.said for node in nodes))
    with psycopg.connect(database, autocommit=True) as again:
        until(lambda: fleet_view(again).quorum)
        assert {one.generation for one in fleet_view(again).cameras} == {1}
    assert [node.cameras.names for node in nodes] == before
    assert not any(node.cameras.runs for node in nodes), "nothing was stopped"


@pytest.mark.alone
def test_cameras_of_a_node_without_the_others_move_when_its_lease_is_over(
    connection: Connection, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(connection, fleet(camera("c0"), camera("c1"), camera("own", only="a"), lease_seconds=LEASE))
    a, b = settled(begin("a"), begin("b"))
    until(lambda: len(a.cameras.names) + len(b.cameras.names) == 3)
    until(lambda: fleet_view(connection).quorum)

    def refused(*given: object, **more: object) -> None:
        raise OSError("cut off")

    monkeypatch.setattr("engine.fleet.agent.Lease", refused)
    pid = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'facestream node a'").fetchone()
    assert pid is not None
    connection.execute("SELECT pg_terminate_backend(%s)", pid)
    began = time.monotonic()
    until(lambda: b.cameras.names == {"c0", "c1"})
    assert time.monotonic() - began < LEASE + 2.0
    assert a.cameras.names == {"own"}, "nobody else may have it"
    until(lambda: any("lease expired" in line for line in a.said))
    assert overlaps([a, b]) == []
    monkeypatch.undo()
    until(lambda: "fleet: the database answers again" in a.said)
    assert fleet_view(connection).nodes[0].alive
    a.close()
    until(lambda: fleet_view(connection).nodes[0].standing == "missing")
    forget(connection, "a")
    until(
        lambda: "own alone" not in str(fleet_view(connection).cameras) and "only a may have it" in str(fleet_view(connection))
    )


@pytest.mark.alone
def test_a_lapse_that_the_cameras_process_alone_has_seen_is_a_new_start(connection: Connection, begin: Begin) -> None:
    apply(connection, fleet(camera("door"), camera("own", only="a"), lease_seconds=LEASE))
    (a,) = settled(begin("a"))
    until(lambda: a.cameras.names == {"door", "own"} and not any(one.wanted for one in fleet_view(connection).cameras))
    with Permit(a.folder / "permit", writes=True) as permit:
        permit.until = now_seconds() - 0.01  # as where the service hung: its session lives, and renews the lease again
        until(lambda: [name for name, _, _ in a.cameras.runs] == ["door"] and a.cameras.names == {"door", "own"})
    until(lambda: not any(one.wanted for one in fleet_view(connection).cameras))
    assert {one.generation for one in fleet_view(connection).cameras} == {1}, "no other node was asked"


@pytest.mark.alone
def test_a_node_that_is_started_anew_without_the_database_reads_what_it_may(
    connection: Connection, begin: Begin, server: PostgresServer
) -> None:
    apply(
        connection,
        fleet(camera("door", prefers=("a",)), camera("gone", prefers=("a",)), camera("own", only="a"), lease_seconds=LEASE),
    )
    a, b = settled(begin("a"), begin("b"))
    until(lambda: a.cameras.names == {"door", "gone", "own"})
    moved = fleet(camera("door", prefers=("a",)), camera("gone", only="b"), camera("own", only="a"), lease_seconds=LEASE)
    apply(connection, moved)
    until(lambda: b.cameras.names == {"gone"})
    until(lambda: not any(one.wanted for one in fleet_view(connection).cameras))
    connection.close()
    a.close()
    b.close()
    server.stop(kill=True)
    again = begin("a")
    until(lambda: again.cameras.names == {"door", "own"})
    again.close()
    with Permit(a.folder / "permit", writes=True) as permit:
        permit.until = 0.0
    late = begin("a")
    until(lambda: late.cameras.names == {"own"})
    with pytest.raises(AssertionError):
        until(lambda: late.cameras.names != {"own"}, "another camera", LEASE / 2)
    late.close()
    server.start()


def test_a_second_process_of_a_name_waits_and_changes_nothing(
    connection: Connection, begin: Begin, database: str, tmp_path: Path
) -> None:
    apply(connection, fleet(camera("door", needs={"site": "north"})))
    (a,) = settled(begin("a", labels={"site": "north"}, address="{node}.example.org"))
    until(lambda: a.cameras.names == {"door"})
    before = fleet_view(connection).nodes[0].about
    assert before.endpoint.startswith("tcp://a.example.org:")
    (tmp_path / "other").mkdir()
    with Node("a", database, tmp_path / "other", labels={"site": "south"}) as second:
        waiting = (
            "SELECT FROM pg_stat_activity WHERE query LIKE '%%try_advisory_lock%%' AND application_name = 'facestream node a'"
        )
        until(lambda: connection.execute(waiting).fetchone() is not None)
        assert not second.cameras.names
        assert fleet_view(connection).nodes[0].about == before
    assert not a.cameras.runs
