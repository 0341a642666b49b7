"""The placer: the one node that looks at the whole fleet and assigns cameras to nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.fleet.file import FleetCamera
from engine.fleet.placement import next_moves, place
from engine.fleet.room import Node, estimate_of
from engine.fleet.rows import told_by_node
from engine.fleet.schema import CHANNEL, place_of
from engine.fleet.store import read_cameras
from engine.fleet.view import About, Load
from engine.postgres.connection import told
from engine.words.times import utc_words

if TYPE_CHECKING:
    from psycopg import Connection

_FAULT_SECONDS = 60.0
"""So long a camera is not placed on a node that could not read it."""
_GIVE_SECONDS = 60.0
"""A node that has been overloaded for so long, with the same cameras, gives one away where it can."""
WISH_SECONDS = 600.0
"""What could not be moved by then, as a node has filled up, stays."""


class Row(NamedTuple):
    """A placement."""

    node: str
    holder: str
    reason: str


def place_all(connection: Connection[Any]) -> bool:
    """Look at the fleet, and change what is to be changed; without half of the nodes nothing is.

    Args:
        connection: of the session that holds the placer's lock: with it ends whatever was not committed.

    Returns:
        Whether something was changed.

    Raises:
        DatabaseError: the database does not answer.
    """
    with told(place_of(connection)), connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = on")
        row = connection.execute("SELECT fleet.has_quorum()").fetchone()
        return bool(row and row[0]) and _place(connection)


def _place(connection: Connection[Any]) -> bool:
    cameras, rows, nodes, present = standing(connection)
    now = {name: row.node for name, row in rows.items() if row.node}
    wishes = dict(connection.execute("SELECT camera, node FROM fleet.wishes").fetchall())
    placing = place(cameras, nodes, now, wishes)
    calm = all(rows[name].holder == node for name, node in now.items() if node in present)
    after = now | next_moves(now, placing.nodes, present, calm=calm)
    for name in now.keys() - placing.nodes.keys():
        del after[name]
    changes = [
        (name, after.get(name), placing.reasons.get(name, ""))
        for name in sorted({one.name for one in cameras} | rows.keys())
        if name not in rows or (after.get(name, ""), placing.reasons.get(name, "")) != (rows[name].node, rows[name].reason)
    ]
    for name, node, reason in changes:
        connection.execute(
            "INSERT INTO fleet.placements (camera, node, reason, generation) VALUES (%(name)s, %(node)s, %(reason)s, 1) "
            "ON CONFLICT (camera) DO UPDATE SET reason = excluded.reason, node = excluded.node, "
            "generation = placements.generation + (placements.node IS DISTINCT FROM excluded.node)::int, since = CASE "
            "WHEN placements.node IS DISTINCT FROM excluded.node THEN clock_timestamp() ELSE placements.since END",
            {"name": name, "node": node, "reason": reason},
        )
    _tidy(connection)
    if changes:
        connection.execute("SELECT pg_notify(%s, 'placed')", (CHANNEL,))
    return bool(changes)


def standing(connection: Connection[Any]) -> tuple[list[FleetCamera], dict[str, Row], list[Node], set[str]]:
    """Return all cameras, where each is placed, all nodes, and which of these are there and run their cameras.

    A camera that this release cannot read is left out, and stays where it is placed: others may read it.
    """
    cameras, unreadable = read_cameras(connection)
    rows = {name: row for name, row in _placements(connection).items() if name not in unreadable}
    return cameras, rows, *_nodes(connection, cameras, rows)


def _placements(connection: Connection[Any]) -> dict[str, Row]:
    rows = connection.execute(
        "SELECT camera, coalesce(node, ''), coalesce(holder, ''), reason FROM fleet.placements"
    ).fetchall()
    return {row[0]: Row(*row[1:]) for row in rows}


def _nodes(
    connection: Connection[Any], cameras: list[FleetCamera], placements: Mapping[str, Row]
) -> tuple[list[Node], set[str]]:
    """Return all nodes, and which of them are there and run their cameras."""
    refused = defaultdict[str, dict[str, str]](dict)
    for node, camera, fault in connection.execute(
        "SELECT node, camera, fault FROM fleet.faults WHERE since > clock_timestamp() - make_interval(secs => %s)",
        (_FAULT_SECONDS,),
    ).fetchall():
        refused[node][camera] = fault
    weights = {camera.name: camera.weight for camera in cameras}
    found, present = [], set()
    told_nodes = connection.execute(
        "SELECT name, held, missing, renewed, lease_seconds, EXISTS (SELECT FROM fleet.drained WHERE node = name), about, load "
        "FROM fleet.nodes JOIN fleet.presence USING (name), fleet.settings"
    ).fetchall()
    abouts = {row[0]: told_by_node(row[6], About) for row in told_nodes}
    have_capacity = all(about.capacity for about in abouts.values() if about is not None)
    for name, held, missing, renewed, lease, drained, _, told_load in told_nodes:
        about, load = abouts[name] or About(), told_by_node(told_load, Load) or Load()
        has_run = load.running and abouts[name] is not None  # what is not known of a node would be taken for no limit
        weight = sum(weights.get(camera, 0.0) for camera, row in placements.items() if row.holder == name)
        away = f"absent since {utc_words(int(renewed.timestamp() * 1e9))}" if missing else "" if held else "cut off just now"
        away = away or (("draining" if weight else "drained") if drained else "" if has_run else "without a run now")
        works = load.down_seconds < lease
        if held and works:
            present.add(name)
        found.append(
            Node(
                name=name,
                labels=about.labels,
                capacity=about.capacity,
                estimate=estimate_of(load, weight),
                size=about.capacity if have_capacity and about.capacity else max(1, load.cores),
                is_overloaded=load.overload_level > 0,
                gives=load.overloaded_seconds >= _GIVE_SECONDS,
                takes=not away,
                keeps=not missing and works and not drained,
                away=away,
                refuses=refused[name],
            )
        )
    return found, present


def _tidy(connection: Connection[Any]) -> None:
    """Let go of what nobody needs any more."""
    connection.execute(
        "DELETE FROM fleet.placements WHERE node IS NULL AND camera NOT IN (SELECT name FROM fleet.cameras) "
        "AND (holder IS NULL OR (NOT kept AND EXISTS (SELECT FROM fleet.presence WHERE name = holder AND missing)))"
    )
    connection.execute(
        "DELETE FROM fleet.wishes AS w WHERE since < clock_timestamp() - make_interval(secs => %s) OR NOT EXISTS "
        "(SELECT FROM fleet.placements AS p WHERE p.camera = w.camera AND p.node = w.before)", (WISH_SECONDS,)
    )  # fmt: skip
    connection.execute("DELETE FROM fleet.registry WHERE version < (SELECT min(seen) FROM fleet.nodes)")
