"""What the operator asks for, in a real database."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import psycopg
import pytest

from engine.errors import DatabaseError, UsageError
from engine.fleet.file import Fleet, FleetCamera
from engine.fleet.placer import place_all
from engine.fleet.rows import CANNOT_BE_READ
from engine.fleet.schema import MIGRATIONS, NODE, migrate, version_of
from engine.fleet.store import apply, cameras_of, drain, forget, register, undrain
from engine.fleet.view import About, Load, fleet_view

Connection = psycopg.Connection[Any]
DOOR = FleetCamera(uri="rtsp://192.0.2.10/one", name="door", needs={"site": "north"})
YARD = FleetCamera(uri="rtsp://192.0.2.11/one", name="yard", detect_fps=5.0, weight=2.0)
LEASE = 60.0
"""Whoever renewed it a moment ago is there, on a busy machine too: a quarter of it counts."""


def add_node(connection: Connection, name: str, *, age_seconds: float = 0.0, held: bool = True) -> None:
    """A node that holds its lease by this connection, or whose lease ran out a while ago."""
    about, load = msgspec.json.encode(About(labels={"site": "north"})), msgspec.json.encode(Load(running=True, streams=3))
    connection.execute(
        "INSERT INTO fleet.nodes (name, about, load, renewed, settled, seen) "
        "VALUES (%s, %s::jsonb, %s::jsonb, clock_timestamp() - make_interval(secs => %s), true, 0)",
        (name, about.decode(), load.decode(), age_seconds),
    )
    if held:
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (NODE + name,))
    register(connection)
    connection.execute("UPDATE fleet.nodes SET seen = (SELECT max(version) FROM fleet.registry)")


def test_what_is_applied_twice_changes_nothing(connection: Connection) -> None:
    assert apply(connection, Fleet(cameras=(DOOR, YARD)), dry_run=True) == [
        "+ door rtsp://192.0.2.10/one", "+ yard rtsp://192.0.2.11/one"
    ]  # fmt: skip
    assert version_of(connection) == 0, "nothing was written"
    assert len(apply(connection, Fleet(cameras=(DOOR, YARD)))) == 2
    assert apply(connection, Fleet(cameras=(DOOR, YARD))) == []
    assert cameras_of(connection) == [DOOR, YARD]
    changed = msgspec.structs.replace(YARD, detect_fps=2.0, only="box-1")
    assert apply(connection, Fleet(cameras=(changed,))) == ["- door", "~ yard detect_fps, only"]
    assert cameras_of(connection) == [changed]


NONSENSE = ('{"uri": 5, "name": "bad"}', '"nonsense"', '{"uri": "rtsp://192.0.2.1/", "name": "other"}', '{"later": 1}')


@pytest.mark.parametrize("entry", NONSENSE)
def test_an_entry_that_cannot_be_read_concerns_its_camera_alone(connection: Connection, entry: str) -> None:
    """All nodes let go of the database again and again for it, as did `fleet status`: a later release may have written it."""
    apply(connection, Fleet(cameras=(DOOR,), lease_seconds=LEASE))
    add_node(connection, "box-1")
    connection.execute("INSERT INTO fleet.cameras VALUES ('bad', %s::jsonb)", (entry,))
    connection.execute("INSERT INTO fleet.placements (camera, node, holder) VALUES ('bad', 'box-1', 'box-1')")
    assert place_all(connection)
    view = {one.name: one for one in fleet_view(connection).cameras}
    assert view["door"].node == "box-1"
    assert (view["bad"].node, view["bad"].reason) == ("box-1", CANNOT_BE_READ), "another release may read it"
    assert apply(connection, Fleet(cameras=(DOOR,), lease_seconds=LEASE)) == ["- bad (cannot be read)"]
    assert apply(connection, Fleet(cameras=(DOOR,), lease_seconds=LEASE)) == []


def test_a_node_that_talks_nonsense_concerns_itself_alone(connection: Connection) -> None:
    apply(connection, Fleet(cameras=(DOOR,), lease_seconds=LEASE))
    add_node(connection, "box-1")
    add_node(connection, "box-2")
    connection.execute("UPDATE fleet.nodes SET about = '[7]', load = '{\"cores\": \"many\"}' WHERE name = 'box-2'")
    assert place_all(connection)
    assert {one.name: one.node for one in fleet_view(connection).cameras} == {"door": "box-1"}


def test_a_node_of_which_nothing_is_known_takes_nothing_and_leaves_the_others_their_sizes(connection: Connection) -> None:
    """It had no limit, and each node was taken to be as large as its cores are many."""
    cameras = tuple(FleetCamera(uri=f"rtsp://192.0.2.1/{number}", name=f"c{number}") for number in range(6))
    apply(connection, Fleet(cameras=cameras, lease_seconds=LEASE))
    for name, about in (("box-1", '{"capacity": 8}'), ("box-2", '{"capacity": 4}'), ("box-3", "[7]")):
        add_node(connection, name)
        connection.execute("UPDATE fleet.nodes SET about = %s::jsonb WHERE name = %s", (about, name))
    assert place_all(connection)
    placed = Counter(one.node for one in fleet_view(connection).cameras)
    assert placed == {"box-1": 4, "box-2": 2}


def test_tables_are_made_once_and_those_of_a_later_release_stay(connection: Connection) -> None:
    migrate(connection)
    migrate(connection)
    assert version_of(connection) == len(MIGRATIONS)
    connection.execute("UPDATE fleet.version SET version = 99")
    migrate(connection)
    assert version_of(connection) == 99


def test_a_database_without_a_fleet_says_what_to_do(connection: Connection) -> None:
    for ask in (fleet_view, lambda one: drain(one, "box-1")):
        with pytest.raises(DatabaseError, match="holds no fleet yet: start one with `facestream fleet apply"):
            ask(connection)


def test_view_says_who_is_there_and_what_has_no_node(connection: Connection) -> None:
    apply(connection, Fleet(cameras=(DOOR, YARD), lease_seconds=LEASE))
    add_node(connection, "box-1")
    add_node(connection, "box-2", age_seconds=20.0, held=False)
    add_node(connection, "box-3", age_seconds=90.0, held=False)
    connection.execute("INSERT INTO fleet.placements (camera, node, holder, generation) VALUES ('door', 'box-1', 'box-1', 4)")
    drain(connection, "box-2")
    view = fleet_view(connection)
    assert [(node.name, node.standing, node.alive, node.drained, node.holds) for node in view.nodes] == [
        ("box-1", "up", True, False, 1), ("box-2", "late", False, True, 0), ("box-3", "missing", False, False, 0)
    ]  # fmt: skip
    assert view.nodes[0].about.labels == {"site": "north"}
    assert view.nodes[0].load.streams == 3
    assert [(one.name, one.node, one.wanted, one.generation) for one in view.cameras] == [
        ("door", "box-1", False, 4), ("yard", "", True, 0)
    ]  # fmt: skip
    assert view.cameras[1].reason == "it has not been placed yet"
    assert not view.quorum
    assert view.summary.startswith("1 of 3 nodes are up, 1 of 2 cameras have a node; nothing is placed")


def test_quorum_is_of_every_set_of_nodes_that_one_may_believe_in(connection: Connection) -> None:
    apply(connection, Fleet(cameras=(), lease_seconds=LEASE))
    add_node(connection, "a")
    add_node(connection, "b", age_seconds=90.0, held=False)
    assert fleet_view(connection).quorum, "one of two"
    for name in ("c", "d"):
        connection.execute("INSERT INTO fleet.nodes (name, about, settled, seen) VALUES (%s, '{}', true, 9)", (name,))
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (NODE + name,))
        register(connection)
    assert fleet_view(connection).quorum, "three of four, and one of two"
    connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (NODE + "a",))
    assert not fleet_view(connection).quorum, "two of four, but b may believe in a and b alone, of which none is there"
    connection.execute("UPDATE fleet.nodes SET renewed = renewed - interval '90 s' WHERE name = 'a'")
    forget(connection, "b")
    assert not fleet_view(connection).quorum, "a may believe in it too"
    forget(connection, "a")
    assert fleet_view(connection).quorum


def test_a_node_that_is_there_is_not_forgotten(connection: Connection) -> None:
    apply(connection, Fleet(cameras=()))
    add_node(connection, "a")
    with pytest.raises(UsageError, match="the node a holds its lease"):
        forget(connection, "a")
    with pytest.raises(UsageError, match="there is no node 'z': there are a"):
        drain(connection, "z")
    drain(connection, "a")
    drain(connection, "a")
    undrain(connection, "a")
    assert not fleet_view(connection).nodes[0].drained
    with pytest.raises(UsageError, match="lease_seconds is 6 now and can be changed only while no node is up: stop a first"):
        apply(connection, Fleet(cameras=(), lease_seconds=4.0))
