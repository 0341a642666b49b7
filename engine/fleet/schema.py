"""The tables that the nodes of a fleet share, in the schema ``fleet`` of a PostgreSQL database, and how they are made.

Who owns what: ``cameras``, ``drained``, ``wishes`` and ``settings`` are the operator's (`facestream fleet`), a row of ``nodes``
its node's, ``placements.node`` the placer's, and ``placements.holder`` that of the node which runs the camera, from before it
starts it until after its last word. ``registry`` has every set of nodes that some node may still believe in, see
``engine.fleet.quorum``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import DatabaseError
from engine.postgres.connection import told

if TYPE_CHECKING:
    from psycopg import Connection

CHANNEL = "facestream_fleet"
"""Of NOTIFY: something was changed that nodes should look at."""
NODE, CAMERA, PLACER, REGISTRY = "facestream node ", "facestream camera ", "facestream placer", "facestream registry"
"""Texts of which the keys of advisory locks are made, by ``hashtextextended``."""
_MIGRATE = "facestream fleet schema"
_FIRST = f"""
CREATE TABLE fleet.settings (
    one bool PRIMARY KEY DEFAULT true CHECK (one),
    lease_seconds float8 NOT NULL DEFAULT 6
);
INSERT INTO fleet.settings DEFAULT VALUES;
CREATE TABLE fleet.cameras (name text PRIMARY KEY, camera jsonb NOT NULL);
CREATE TABLE fleet.drained (node text PRIMARY KEY, since timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE fleet.registry (version bigint PRIMARY KEY, nodes text[] NOT NULL);
CREATE TABLE fleet.nodes (
    name text PRIMARY KEY,
    about jsonb NOT NULL,
    load jsonb NOT NULL DEFAULT '{{}}',
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    renewed timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled bool NOT NULL DEFAULT false,
    seen bigint NOT NULL DEFAULT 0
);
CREATE TABLE fleet.placements (
    camera text PRIMARY KEY,
    node text,
    generation bigint NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL DEFAULT '',
    holder text,
    kept bool NOT NULL DEFAULT false
);
CREATE TABLE fleet.faults (
    node text, camera text, fault text NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (node, camera)
);
CREATE VIEW fleet.presence AS
    SELECT name, held, held AND settled AND age < lease / 4 AS counts, NOT held AND age >= lease AS missing, age
    FROM (
        SELECT name, settled, lease_seconds AS lease, extract(epoch FROM clock_timestamp() - renewed)::float8 AS age,
            hashtextextended('{NODE}' || name, 0) IN (
                SELECT classid::bigint << 32 | objid::bigint FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            ) AS held
        FROM fleet.nodes, fleet.settings
    ) AS each_node;
CREATE FUNCTION fleet.has_quorum() RETURNS bool LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(bool_and(
        2 * (SELECT count(*) FROM fleet.presence WHERE counts AND name = ANY (nodes)) >= cardinality(nodes)
    ), true)
    FROM fleet.registry WHERE version >= (SELECT min(seen) FROM fleet.nodes)
$$;
"""
"""``presence``: who holds its lease, who may be counted, and whose lease is over for certain. ``has_quorum``: of every set of
nodes that a registered node may believe in, half are there."""
_WISHES = """
CREATE TABLE fleet.wishes (
    camera text PRIMARY KEY, before text NOT NULL, node text NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""
MIGRATIONS = (_FIRST, _WISHES)
"""Each brings the tables from the version before to the next, and only adds, so that nodes of two releases can go together."""


def migrate(connection: Connection[Any]) -> None:
    """Bring the tables to this release's version; those of a later one stay as they are.

    Raises:
        DatabaseError: it cannot be done, as where this user may make no schema.
    """
    with told(place_of(connection)), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (_MIGRATE,))
        if version_of(connection) >= len(MIGRATIONS):
            return
        connection.execute("CREATE SCHEMA IF NOT EXISTS fleet")
        connection.execute("CREATE TABLE IF NOT EXISTS fleet.version (version int NOT NULL)")
        for number, statements in enumerate(MIGRATIONS[version_of(connection) :], version_of(connection) + 1):
            connection.execute(statements)  # several statements go without parameters
            connection.execute("DELETE FROM fleet.version")
            connection.execute("INSERT INTO fleet.version VALUES (%s)", (number,))


def version_of(connection: Connection[Any]) -> int:
    """Return the version of the tables; 0 where there are none."""
    with told(place_of(connection)):
        if not connection.execute("SELECT to_regclass('fleet.version') IS NOT NULL").fetchone()[0]:  # type: ignore[index]
            return 0
        row = connection.execute("SELECT version FROM fleet.version").fetchone()
        return int(row[0]) if row else 0


def require_tables(connection: Connection[Any]) -> None:
    """Check that there is a fleet to look at.

    Raises:
        DatabaseError: there is none.
    """
    if version_of(connection) == 0:
        raise DatabaseError(
            f"the database {place_of(connection)} holds no fleet yet: start one with `facestream fleet apply FLEET.yaml`"
        )


def place_of(connection: Connection[Any]) -> str:
    """Return the address of its database, for messages.

    Raises:
        DatabaseError: it was closed.
    """
    import psycopg

    try:
        info = connection.info
        return f"postgresql://{info.user}@{info.host}:{info.port}/{info.dbname}"
    except psycopg.Error as error:
        raise DatabaseError("the connection to the database was closed, as there was no answer") from error
