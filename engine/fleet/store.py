"""What the operator changes: the cameras that there should be, and which nodes are drained or gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import UsageError
from engine.fleet.file import Fleet, FleetCamera, difference
from engine.fleet.rows import camera_in
from engine.fleet.schema import CHANNEL, REGISTRY, migrate, place_of, require_tables, version_of
from engine.postgres.connection import told

if TYPE_CHECKING:
    from psycopg import Connection


def cameras_of(connection: Connection[Any]) -> list[FleetCamera]:
    """Return the cameras that there should be, by name; not those that cannot be read."""
    return read_cameras(connection)[0]


def read_cameras(connection: Connection[Any]) -> tuple[list[FleetCamera], frozenset[str]]:
    """Return the cameras that there should be, by name, and the names of those that cannot be read."""
    with told(place_of(connection)):
        rows = connection.execute("SELECT name, camera FROM fleet.cameras ORDER BY name").fetchall()
    cameras = [camera for row in rows if (camera := camera_in(*row)) is not None]
    return cameras, frozenset(row[0] for row in rows) - {one.name for one in cameras}


def apply(connection: Connection[Any], fleet: Fleet, *, dry_run: bool = False) -> list[str]:
    """Let these be the cameras; return what that changes, see ``difference``. Applied again it changes nothing.

    Raises:
        DatabaseError: it cannot be done.
        UsageError: it would change the lease while nodes are there.
    """
    if dry_run and version_of(connection) == 0:
        return difference([], fleet.cameras)
    migrate(connection)
    with told(place_of(connection)), connection.transaction():
        connection.execute("LOCK TABLE fleet.cameras IN SHARE ROW EXCLUSIVE MODE")
        cameras, unreadable = read_cameras(connection)
        changes = difference(cameras, fleet.cameras)
        changes += [f"- {name} (cannot be read)" for name in sorted(unreadable - {one.name for one in fleet.cameras})]
        changes += _change_lease(connection, fleet.lease_seconds, dry_run=dry_run)
        if not changes or dry_run:
            return changes
        connection.execute("DELETE FROM fleet.cameras WHERE name <> ALL (%s)", ([one.name for one in fleet.cameras],))
        for one in fleet.cameras:
            connection.execute(
                "INSERT INTO fleet.cameras VALUES (%(name)s, %(camera)s::jsonb) ON CONFLICT (name) DO UPDATE "
                "SET camera = excluded.camera WHERE cameras.camera <> excluded.camera",
                {"name": one.name, "camera": msgspec.json.encode(_told(one)).decode()},
            )
        connection.execute("SELECT pg_notify(%s, 'cameras')", (CHANNEL,))
    return changes


def drain(connection: Connection[Any], node: str) -> None:
    """Let a node's cameras move elsewhere, one after another, and give it none.

    Raises:
        UsageError: there is no such node.
    """
    with _of_node(connection, node):
        connection.execute("INSERT INTO fleet.drained (node) VALUES (%s) ON CONFLICT DO NOTHING", (node,))
        connection.execute("SELECT pg_notify(%s, 'drained')", (CHANNEL,))


def undrain(connection: Connection[Any], node: str) -> None:
    """Let a node be given cameras again.

    Raises:
        UsageError: there is no such node.
    """
    with _of_node(connection, node):
        connection.execute("DELETE FROM fleet.drained WHERE node = %s", (node,))
        connection.execute("SELECT pg_notify(%s, 'drained')", (CHANNEL,))


def forget(connection: Connection[Any], node: str) -> None:
    """Take out a node that is switched off for good: its cameras, also those that it alone may have, are placed elsewhere at
    once. Whoever asks vouches that it runs nothing: from here nobody can know.

    Raises:
        UsageError: there is no such node, or it holds its lease.
    """
    with _of_node(connection, node):
        row = connection.execute("SELECT held, missing FROM fleet.presence WHERE name = %s", (node,)).fetchone()
        if row is None or row[0] or not row[1]:
            raise UsageError(f"the node {node} holds its lease, or did a moment ago: stop its service first")
        connection.execute("DELETE FROM fleet.nodes WHERE name = %s", (node,))
        connection.execute("DELETE FROM fleet.drained WHERE node = %s", (node,))
        connection.execute("DELETE FROM fleet.faults WHERE node = %s", (node,))
        connection.execute("UPDATE fleet.placements SET holder = NULL, kept = false WHERE holder = %s", (node,))
        register(connection)
        connection.execute("SELECT pg_notify(%s, 'forgotten')", (CHANNEL,))


def register(connection: Connection[Any]) -> int:
    """Note which nodes there are, where that has changed, and return the version of that; within a transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (REGISTRY,))
    row = connection.execute(
        "WITH newest AS (SELECT version, nodes FROM fleet.registry ORDER BY version DESC LIMIT 1), "
        "now AS (SELECT coalesce(array_agg(name ORDER BY name), '{}') AS nodes FROM fleet.nodes), "
        "added AS (INSERT INTO fleet.registry SELECT coalesce((SELECT version FROM newest), 0) + 1, nodes FROM now "
        "WHERE nodes IS DISTINCT FROM (SELECT nodes FROM newest) RETURNING version) "
        "SELECT coalesce((SELECT version FROM added), (SELECT version FROM newest))"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _change_lease(connection: Connection[Any], seconds: float, *, dry_run: bool) -> list[str]:
    before = connection.execute("SELECT lease_seconds FROM fleet.settings").fetchone()
    if before is None or before[0] == seconds:
        return []
    present = connection.execute("SELECT name FROM fleet.presence WHERE NOT missing ORDER BY name").fetchall()
    if present:
        names = ", ".join(row[0] for row in present)
        raise UsageError(f"lease_seconds is {before[0]:g} now and can be changed only while no node is up: stop {names} first")
    if not dry_run:
        connection.execute("UPDATE fleet.settings SET lease_seconds = %s", (seconds,))
    return [f"~ lease_seconds {before[0]:g} -> {seconds:g}"]


@contextmanager
def _of_node(connection: Connection[Any], node: str) -> Iterator[None]:
    """A transaction about a node that there is."""
    require_tables(connection)
    with told(place_of(connection)), connection.transaction():
        names = [row[0] for row in connection.execute("SELECT name FROM fleet.nodes ORDER BY name").fetchall()]
        if node not in names:
            raise UsageError(
                f"there is no node {node[:80]!r}: " + (f"there are {', '.join(names)}" if names else "none was ever there")
            )
        yield


def _told(camera: FleetCamera) -> dict[str, Any]:
    """Return a camera as it is kept: what is as by default is left out."""
    plain = msgspec.to_builtins(FleetCamera(uri=""))
    return {key: value for key, value in msgspec.to_builtins(camera).items() if value != plain[key]}
