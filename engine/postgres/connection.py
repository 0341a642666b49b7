"""A connection to a PostgreSQL server, bounded in time, so that a dead server or a cut link is an error and no wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import DatabaseError, MissingRuntimeError
from engine.postgres.address import without_password

if TYPE_CHECKING:
    from engine.postgres.bounded import BoundedConnection

_LATE_SECONDS = 1.0
"""For what the server says in the last moment, as that a statement took too long."""


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
) -> BoundedConnection:
    """Open a connection that commits each statement by itself, but for ``with connection.transaction()``.

    Args:
        where: ``postgresql://…``; what it lacks comes from libpq's environment and service files.
        application: what ``pg_stat_activity`` calls it.
        answer_seconds: longest for the connection, for a statement at the server, and for the network to carry anything; not
            less than 1. A server that says nothing at all for a second more is given up.
        settings: of the server, for this session, as ``{"idle_session_timeout": "6s"}``.

    Raises:
        DatabaseError: there is no answer, or it is refused.
        MissingRuntimeError: psycopg is not installed.
    """
    require_driver()
    from engine.postgres.bounded import BoundedConnection

    all_settings = {"statement_timeout": f"{answer_seconds * 1000:.0f}", **(settings or {})}
    with told(where):
        connection = BoundedConnection.connect(
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
    connection.silent_seconds = answer_seconds + _LATE_SECONDS
    return connection


@contextmanager
def told(where: str) -> Iterator[None]:
    """Raise ``DatabaseError``, with the place, instead of what psycopg raises."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        advice = "; let its owner grant that" if isinstance(error, psycopg.errors.InsufficientPrivilege) else ""
        raise DatabaseError(f"the database {without_password(where)}: {lines[0]}{advice}") from error
