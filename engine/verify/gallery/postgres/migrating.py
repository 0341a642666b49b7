"""Migrates the tables of a database to the version of this program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import GalleryError
from engine.verify.gallery.postgres.schema import STEPS

if TYPE_CHECKING:
    from psycopg import Connection

_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('facestream gallery', 0))"


def step_of(connection: Connection[Any]) -> int:
    """Return the version of the tables; 0: there are none.

    Raises:
        psycopg.Error: there is no answer, or the role may not look.
    """
    if connection.execute("SELECT to_regclass('gallery.steps')").fetchone() == (None,):
        return 0
    found = connection.execute("SELECT max(number) FROM gallery.steps").fetchone()
    return int(found[0] or 0) if found else 0


def migrate(connection: Connection[Any], where: str) -> None:
    """Apply the missing steps, all or none; of several processes that try at once, one migrates and the others wait.

    Args:
        connection: of a role that may create the schema, or owns it.
        where: name of the gallery in messages.

    Raises:
        GalleryError: the server has no pgvector, or the role lacks the rights.
        psycopg.Error: there is no answer.
    """
    from psycopg import errors

    try:
        with connection.transaction():
            connection.execute(_ALONE)
            _require_vector(connection, where)
            connection.execute("CREATE SCHEMA IF NOT EXISTS gallery")
            connection.execute("CREATE TABLE IF NOT EXISTS gallery.steps (number integer PRIMARY KEY)")
            for number, step in enumerate(STEPS, 1):
                if number > step_of(connection):
                    connection.execute(step)
                    connection.execute("INSERT INTO gallery.steps VALUES (%s)", (number,))
    except errors.InsufficientPrivilege as error:
        raise GalleryError(
            f"the gallery {where} cannot be made ({str(error).splitlines()[0]}): let a role do it that may, as the owner of "
            "the database, with `facestream enrol`; it then admits others, see docs/gallery.md"
        ) from error


def _require_vector(connection: Connection[Any], where: str) -> None:
    from psycopg import errors

    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone():
        return
    if not connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone():
        raise GalleryError(
            f"the server of the gallery {where} lacks pgvector: install it there (Debian: postgresql-NN-pgvector)"
        )
    try:
        connection.execute("CREATE EXTENSION vector")
    except errors.InsufficientPrivilege as error:
        raise GalleryError(
            f"the database of the gallery {where} lacks the extension vector, and this role may not add it: "
            "let a superuser run CREATE EXTENSION vector in it"
        ) from error
