"""The gallery's tables in PostgreSQL: a connection on which vectors are bytes, and that sees the rows of one tenant."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from engine.errors import DatabaseError, GalleryError, MissingGalleryError, OlderGalleryError
from engine.postgres.connection import connect
from engine.verify.gallery.postgres.address import Address
from engine.verify.gallery.postgres.epoch import epoch_of
from engine.verify.gallery.postgres.migrating import migrate, step_of
from engine.verify.gallery.postgres.said import said
from engine.verify.gallery.postgres.schema import STEPS
from engine.verify.gallery.postgres.vectors import adapt
from engine.verify.gallery.tables import Mark, Table

if TYPE_CHECKING:
    from psycopg import Connection

    from engine.postgres.bounded import BoundedConnection

ANSWER_SECONDS = 5.0
_ROWS_AT_ONCE = 2000
_ROWS_IN_A_STATEMENT = 500
_SERVER_SETTINGS = {
    # A writer whose machine is gone releases the gallery.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "30s",
}
_WHO = """
    SELECT rolsuper OR rolbypassrls, session_user, has_schema_privilege('gallery', 'USAGE'),
        (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector'),
        (SELECT quote_ident(CASE WHEN o.rolsuper OR o.rolbypassrls THEN 'facestream_gallery' ELSE o.rolname END)
            FROM pg_namespace JOIN pg_roles AS o ON o.oid = nspowner WHERE nspname = 'gallery')
    FROM pg_roles WHERE rolname = current_user
"""
"""Facts about the session: whether it bypasses row-level security, its login, whether it may use the schema, the schema of
pgvector, and the role for which row-level security would apply.
"""


class PostgresTables:
    """See ``GalleryTables``. Tables that are missing or of an earlier version are created or migrated, unless ``read_only``.

    Args:
        address: of the gallery.
        read_only: never write; the tables must exist.
        application: name in the server's list of sessions.

    Raises:
        GalleryError: there is no answer, access is refused, or the tables are of a later version.
        MissingGalleryError: ``read_only``, and the database has no such gallery.
        OlderGalleryError: ``read_only``, and its tables are those of an earlier version.
        MissingRuntimeError: psycopg is not installed.
    """

    def __init__(self, address: Address, read_only: bool, application: str = "gallery") -> None:
        self.address = address
        self.connection = opened(address, application, read_only=read_only)
        try:
            with said(address):
                self._prepare(read_only)
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self, read_only: bool) -> None:
        step = step_of(self.connection)
        if step > len(STEPS):
            raise GalleryError(
                f"the gallery {self.where} has version {step} of its tables, this facestream knows {len(STEPS)}: use a newer "
                "facestream"
            )
        if step < len(STEPS) and read_only:
            if not step:
                raise MissingGalleryError(f"there is no gallery {self.where}: enrol someone first with `facestream enrol`")
            raise OlderGalleryError(
                f"the gallery {self.where} has version {step} of its tables, this facestream needs {len(STEPS)}: "
                "`facestream enrol`, as the role that owns them, brings them there"
            )
        if step < len(STEPS):
            migrate(self.connection, self.where)
        admit(self.connection, self.address)
        adapt(self.connection)
        if not self.rows("SELECT 1 FROM state"):
            if read_only:
                raise MissingGalleryError(
                    f"there is no gallery {self.where} yet (tenant {self.address.tenant}): check the tenant, or enrol someone"
                )
            self.execute("INSERT INTO state (epoch) VALUES (?) ON CONFLICT DO NOTHING", (secrets.token_hex(8),))

    @property
    def where(self) -> str:
        """The address, without a password."""
        return self.address.where

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """See ``GalleryTables``."""
        with said(self.address):
            return self.connection.execute(statement.replace("?", "%s"), values, binary=True).rowcount

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """See ``GalleryTables``: many rows in a statement, because triggers cost per statement."""
        one, left = f"({', '.join('?' * len(columns))})", iter(rows)
        while some := list(islice(left, _ROWS_IN_A_STATEMENT)):
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(some))}"
            self.execute(statement, list(chain.from_iterable(some)))

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See ``GalleryTables``."""
        with said(self.address):
            return self.connection.execute(statement.replace("?", "%s"), values, binary=True).fetchall()

    def each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """See ``GalleryTables``."""
        with said(self.address), self.connection.cursor("each", binary=True) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            yield from cursor.execute(statement.replace("?", "%s"), values)

    def mark(self) -> Mark | None:
        """See ``GalleryTables``: followers have a cache, whose file has the log."""
        return None

    def touched(self, mark: Mark) -> None:
        """See ``GalleryTables``."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See ``GalleryTables``."""
        with said(self.address), self.connection.transaction():
            self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """See ``GalleryTables``."""
        with said(self.address, is_change=True), self.connection.transaction():
            self.connection.execute("SELECT 1 FROM state FOR UPDATE")
            yield

    def has(self, table: Table) -> bool:
        """See ``GalleryTables``: all tables exist."""
        return bool(table)

    def make(self, table: Table) -> None:
        """See ``GalleryTables``: there is nothing to create."""

    def state(self) -> tuple[str, int]:
        """See ``GalleryTables``."""
        with said(self.address):
            return epoch_of(self.connection), int(self.rows("SELECT version FROM state")[0][0])

    def wipe(self) -> None:
        """See ``GalleryTables``: the server overwrites deleted rows in its own time, see ``docs/privacy.md``."""

    def close(self) -> None:
        """See ``GalleryTables``."""
        self.connection.close()


def opened(address: Address, application: str, *, read_only: bool) -> BoundedConnection:
    """Return a connection restricted to the rows of the tenant, see ``admit``.

    Raises:
        GalleryError: there is no answer, or access is refused.
    """
    settings = {**_SERVER_SETTINGS, "facestream.tenant": address.tenant}
    if read_only:
        settings["default_transaction_read_only"] = "on"
    try:
        return connect(address.database, application=application, answer_seconds=ANSWER_SECONDS, settings=settings)
    except DatabaseError as error:
        raise GalleryError(f"{error}: check that the server runs, the address, and the password in ~/.pgpass") from error


def admit(connection: Connection[Any], address: Address) -> None:
    """Make sure that a session sees the rows of its tenant, and only those.

    Raises:
        GalleryError: its role may not use the tenant.
        psycopg.Error: there is no answer.
    """
    found = connection.execute(_WHO).fetchone()
    assert found is not None
    bypasses, role, may_use, of_vector, instead = found
    if bypasses:
        connection.execute(f"SET ROLE {instead}")
    connection.execute("SELECT set_config('search_path', %s, false)", (f"gallery, {of_vector or 'public'}",))
    if not may_use or connection.execute("SELECT gallery.tenant()").fetchone() == (None,):
        name = str(role).replace("'", "''")
        raise GalleryError(
            f"the role {role} may not use the tenant {address.tenant} of the gallery {address.where}: name another with "
            f"?tenant=…, or let the owner of its tables run SELECT gallery.admit('{address.tenant}', '{name}') in psql"
        )
