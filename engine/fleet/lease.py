"""What one node does in its session with the database, which holds all of its locks: the statements, and no decision."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import msgspec

from engine.errors import DatabaseError
from engine.fleet.file import FleetCamera
from engine.fleet.permit import now_seconds
from engine.fleet.rows import camera_in, told_by_node
from engine.fleet.schema import CAMERA, CHANNEL, NODE, PLACER, migrate, place_of
from engine.fleet.store import register
from engine.fleet.view import About, Load
from engine.postgres.connection import connect, told
from engine.runtime.bell import Bell
from engine.runtime.channel import wait_for_handles

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

ANSWER_SECONDS = 2.0
"""For a connection, and for a statement at the server; the node itself gives up sooner."""


class Placed(NamedTuple):
    """A placement that concerns a node."""

    camera: FleetCamera | None
    """None: it is not in the fleet any more, or cannot be read."""
    name: str
    node: str
    holder: str
    kept: bool
    is_unreadable: bool = False


class Known(NamedTuple):
    """The nodes that there are."""

    version: int
    nodes: dict[str, About]


class Lease:
    """One session. Every method may raise ``DatabaseError``, after which the session is of no use.

    Args:
        where: the database.
        node: the name of this node.
        seconds: after so long without a word the server ends the session, also within a transaction.
    """

    def __init__(self, where: str, node: str, seconds: float) -> None:
        self._node, self.began = node, now_seconds()
        ends = dict.fromkeys(("idle_session_timeout", "idle_in_transaction_session_timeout"), f"{seconds * 1000:.0f}")
        self.connection: Connection[Any] = connect(
            where,
            application=f"node {node}",
            answer_seconds=ANSWER_SECONDS,
            settings={"synchronous_commit": "off", **ends},
        )
        self.connection.cursor_factory = self._reporting()
        self._where = place_of(self.connection)
        self.held: set[str] = set()
        """Cameras whose locks this session has."""
        self._is_placer = False
        self.on_answer: Callable[[float], None] = lambda sent: None
        """Is told of each statement that was answered when it was sent: the server counts from there, or later."""

    def _reporting(self) -> type[Cursor[Any]]:
        """Return the kind of cursor that tells when it was answered, whoever uses the connection."""
        from psycopg import Cursor

        lease = self

        class Reporting(Cursor[Any]):
            def execute(self, *given: Any, **more: Any) -> Self:
                sent = now_seconds()
                super().execute(*given, **more)
                lease.on_answer(sent)
                return self

        return Reporting

    @property
    def pid(self) -> int:
        """Of the session, at the server."""
        return self.connection.info.backend_pid

    def prepare(self) -> float:
        """Make sure of the tables, and return the length of a lease in them."""
        migrate(self.connection)
        return self.lease_seconds()

    def lease_seconds(self) -> float:
        """Return the length of a lease; from now on it is told what has changed."""
        self._run(f"LISTEN {CHANNEL}")
        return float(self._one("SELECT lease_seconds FROM fleet.settings")[0])

    def address(self) -> str:
        """Return this machine's address as the database sees it."""
        row = self._one("SELECT host(inet_client_addr())")
        return row[0] or "127.0.0.1"  # by a socket of this machine

    def end_former(self, pid: int) -> None:
        """End the session before, of this same process, which may still hold the locks."""
        self._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND usename = current_user "
                  "AND application_name = current_setting('application_name')", pid)  # fmt: skip

    def unsettle(self) -> None:
        """Before the lock of this node is taken: let nobody count a session before it says that it is settled."""
        self._run("UPDATE fleet.nodes SET settled = false WHERE name = %s", self._node)

    def announce(self, about: About) -> None:
        """Say who this is: with the lock, as another process may have the name."""
        with told(self._where), self.connection.transaction():
            self.connection.execute(
                "INSERT INTO fleet.nodes (name, about) VALUES (%(node)s, %(about)s::jsonb) ON CONFLICT (name) DO UPDATE "
                "SET about = excluded.about, settled = false, since = clock_timestamp()",
                {"node": self._node, "about": msgspec.json.encode(about).decode()},
            )
            register(self.connection)
            self.connection.execute("DELETE FROM fleet.faults WHERE node = %s", (self._node,))

    def take_node(self) -> bool:
        """Take the lock of this node, unless another session has it."""
        return self._lock(NODE + self._node)

    def is_placer(self) -> bool:
        """Whether this session is the placer's, now at least."""
        self._is_placer = self._is_placer or self._lock(PLACER)
        return self._is_placer

    def renew(self, load: Load, seen: int, *, settled: bool) -> tuple[int, str]:
        """Say that this node is there, and how it stands.

        Returns:
            The version of the nodes that there are, and when one of them came last.

        Raises:
            DatabaseError: it was forgotten, too.
        """
        row = self._one_or_none(
            "UPDATE fleet.nodes SET renewed = clock_timestamp(), load = %s::jsonb, seen = %s, settled = %s WHERE name = %s "
            "RETURNING (SELECT max(version) FROM fleet.registry), (SELECT max(since)::text FROM fleet.nodes)",
            msgspec.json.encode(load).decode(), seen, settled, self._node,
        )  # fmt: skip
        if row is None:
            raise DatabaseError(f"the node {self._node} was forgotten, and joins again")
        return int(row[0]), str(row[1])

    def known(self) -> Known:
        """Return the nodes that there are, and the version of that."""
        rows = self._all(
            "SELECT r.version, n.name, n.about FROM fleet.nodes AS n, "
            "(SELECT version FROM fleet.registry ORDER BY version DESC LIMIT 1) AS r"
        )
        return Known(rows[0][0] if rows else 0, {row[1]: told_by_node(row[2], About) or About() for row in rows})

    def placed(self) -> list[Placed]:
        """Return what is placed here, or was taken by this node."""
        rows = self._all(
            "SELECT c.camera, p.camera, coalesce(p.node, ''), coalesce(p.holder, ''), p.kept FROM fleet.placements AS p "
            "LEFT JOIN fleet.cameras AS c ON c.name = p.camera WHERE p.node = %s OR p.holder = %s ORDER BY p.camera",
            self._node, self._node,
        )  # fmt: skip
        placed = []
        for told_camera, name, node, holder, kept in rows:
            camera = camera_in(name, told_camera)
            placed.append(Placed(camera, name, node, holder, kept, camera is None and told_camera is not None))
        return placed

    def take(self, camera: FleetCamera) -> bool:
        """Take a camera that is placed here, or keep it: when this is true nobody else runs it, nor will.

        One that another node has not given back is taken over only where that node is missing, and half of all are there.
        """
        if camera.name not in self.held and not self._lock(CAMERA + camera.name):
            return False
        self.held.add(camera.name)
        row = self._one_or_none(
            "UPDATE fleet.placements SET holder = %(node)s, kept = %(kept)s WHERE camera = %(camera)s AND node = %(node)s AND "
            "(holder IS NULL OR holder = %(node)s OR (NOT kept AND fleet.has_quorum() "
            "AND EXISTS (SELECT FROM fleet.presence WHERE name = holder AND missing))) RETURNING true",
            {"node": self._node, "camera": camera.name, "kept": camera.only == self._node},
        )
        if row is None:
            self._unlock(camera.name)
        return row is not None

    def give_back(self, name: str) -> None:
        """Say that this node does not run a camera any more, and will not."""
        self._run("UPDATE fleet.placements SET holder = NULL, kept = false WHERE camera = %s AND holder = %s", name, self._node)
        if name in self.held:
            self._unlock(name)
        self._run("SELECT pg_notify(%s, 'free')", CHANNEL)

    def report_fault(self, name: str, fault: str) -> None:
        """Say that this node cannot read a camera."""
        self._run(
            "INSERT INTO fleet.faults (node, camera, fault) VALUES (%s, %s, %s) ON CONFLICT (node, camera) DO UPDATE "
            "SET fault = excluded.fault, since = clock_timestamp()",
            self._node, name, fault[:500],
        )  # fmt: skip
        self._run("SELECT pg_notify(%s, 'fault')", CHANNEL)

    def wait(self, seconds: float, bell: Bell) -> None:
        """Wait until something has changed, or the bell rings, so long at most."""
        with told(self._where):
            if not any(True for _ in self.connection.notifies(timeout=0)):  # none came in with an answer
                wait_for_handles([self.connection.fileno(), bell.fileno()], seconds)
        bell.hush()

    def close(self) -> None:
        """End it, and throw away what was not sent yet."""
        with suppress(Exception):  # it may be broken in any way
            abort(self.connection)
        with suppress(Exception):
            self.connection.close()

    def _lock(self, what: str) -> bool:
        return bool(self._one("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", what)[0])

    def _unlock(self, name: str) -> None:
        self._run("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", CAMERA + name)
        self.held.discard(name)

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with told(self._where):
            return self.connection.execute(statement, _parameters(values)).fetchall()

    def _one_or_none(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _one(self, statement: str, *values: object) -> tuple[Any, ...]:
        row = self._one_or_none(statement, *values)
        if row is None:
            raise DatabaseError(f"the database {self._where} holds no usable fleet: its schema `fleet` was changed by hand")
        return row

    def _run(self, statement: str, *values: object) -> None:
        with told(self._where):
            self.connection.execute(statement, _parameters(values))


def abort(connection: Connection[Any]) -> None:
    """Let whoever waits for a connection, in any thread, wait no longer; what was not sent yet is thrown away with it."""
    copy = socket.socket(fileno=socket.dup(connection.fileno()))
    with copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        copy.shutdown(socket.SHUT_RDWR)


def _parameters(values: Iterable[object]) -> Any:
    """Return the parameters of a statement: one mapping, or several values."""
    given = tuple(values)
    return given[0] if len(given) == 1 and isinstance(given[0], dict) else given or None
