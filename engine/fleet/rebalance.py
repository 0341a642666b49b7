"""What the operator asks for when a node has come: each is to have its share of the cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.fleet.even import Move, even_out
from engine.fleet.placement import place
from engine.fleet.placer import standing
from engine.fleet.schema import CHANNEL, migrate, place_of, require_tables
from engine.postgres.connection import told

if TYPE_CHECKING:
    from psycopg import Connection


def rebalance(connection: Connection[Any], *, dry_run: bool = False) -> list[Move]:
    """Let cameras move until each node has its share, and no more of them than that takes; return which will.

    It is a wish: the placer moves them, of each node one after another, each when its node has given it back; one whose node
    or wish is gone meanwhile stays.

    Raises:
        DatabaseError: the database does not answer, or holds no fleet.
    """
    require_tables(connection)
    if not dry_run:
        migrate(connection)
    with told(place_of(connection)), connection.transaction():
        cameras, rows, nodes, _ = standing(connection)
        now = {name: row.node for name, row in rows.items() if row.node}
        planned = even_out(cameras, nodes, place(cameras, nodes, now).nodes)
        moves = [move for move in planned if now.get(move.camera) == move.before]  # another one is on its way already
        if not dry_run:
            connection.execute("DELETE FROM fleet.wishes")
            for move in moves:
                connection.execute("INSERT INTO fleet.wishes (camera, before, node) VALUES (%s, %s, %s)", move)
            connection.execute("SELECT pg_notify(%s, 'wishes')", (CHANNEL,))
    return moves
