"""The one way to a PostgreSQL server: bounded in time, so that a dead server or a cut link is an error and no wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from engine.errors import DatabaseError, MissingRuntimeError

if TYPE_CHECKING:
    from psycopg import Connection

_SCHEMES = ("postgresql://", "postgres://")


def is_postgres(where: str) -> bool:
    """Whether this names a PostgreSQL database, ``postgresql://USER@HOST/NAME``."""
    return where.startswith(_SCHEMES)


def without_password(where: str) -> str:
    """Return the address of a database as messages may show it."""
    parts = urlsplit(where)
    user, at, place = parts.netloc.rpartition("@")
    query = re.sub(r"(?<![^&])(password|sslpassword)=[^&]*", r"\1=***", parts.query)
    return urlunsplit(parts._replace(netloc=user.split(":")[0] + at + place, query=query))


def require_driver() -> None:
    """Check that the package is there that speaks to the server.

    Raises:
        MissingRuntimeError: it is not.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise MissingRuntimeError(f"psycopg is not installed: pip install 'facestream[postgres]' ({error})") from error


def connect(
    where: str, *, application: str, answer_seconds: float = 5.0, settings: dict[str, str] | None = None
) -> Connection[Any]:
    """Open a connection that commits each statement by itself, but for ``with connection.transaction()``.

    Args:
        where: ``postgresql://…``; what it lacks comes from libpq's environment and service files.
        application: what ``pg_stat_activity`` calls it.
        answer_seconds: longest for the connection, for a statement, and for the network to carry anything; not less than 1.
        settings: of the server, for this session, as ``{"idle_session_timeout": "6s"}``.

    Raises:
        DatabaseError: there is no answer, or it is refused.
        MissingRuntimeError: psycopg is not installed.
    """
    require_driver()
    import psycopg

    all_settings = {"statement_timeout": f"{answer_seconds * 1000:.0f}", **(settings or {})}
    with told(where):
        return psycopg.connect(
            where,
            autocommit=True,
            application_name=f"facestream {application}",
            connect_timeout=max(1, round(answer_seconds)),  # libpq's smallest is 2
            tcp_user_timeout=round(answer_seconds * 1000),
            keepalives_idle=max(1, round(answer_seconds)),
            keepalives_interval=1,
            keepalives_count=3,
            options=" ".join(f"-c {name}={value}" for name, value in all_settings.items()),
        )


@contextmanager
def told(where: str) -> Iterator[None]:
    """Raise ``DatabaseError``, with the place, instead of what psycopg raises."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        raise DatabaseError(f"the database {without_password(where)}: {lines[0] if lines else type(error).__name__}") from error
