"""The one way to a PostgreSQL server: bounded in time, so that a dead server or a cut link is an error and no wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit, urlunsplit

from engine.errors import ConfigError, DatabaseError, MissingRuntimeError

if TYPE_CHECKING:
    from psycopg import Connection

_SCHEMES = ("postgresql://", "postgres://")
_SECRETS = {"password", "sslpassword"}
_LATE_SECONDS = 1.0
"""For what the server says in the last moment, as that a statement took too long."""


def is_postgres(where: str) -> bool:
    """Whether this names a PostgreSQL database, ``postgresql://USER@HOST/NAME``."""
    return where.startswith(_SCHEMES)


def without_password(where: str) -> str:
    """Return the address of a database as messages may show it."""
    parts = urlsplit(where)
    user, at, place = parts.netloc.rpartition("@")
    options = [option.partition("=") for option in parts.query.split("&")]
    query = "&".join(f"{key}=***" if unquote_plus(key) in _SECRETS else key + equals + value for key, equals, value in options)
    return urlunsplit(parts._replace(netloc=user.split(":")[0] + at + place, query=query))


def refuse_password(where: str, what: str) -> None:
    """Check that the address of a database holds no password: it stands in files, and in lists of processes.

    Args:
        where: ``postgresql://…``.
        what: whose address it is, for the message.

    Raises:
        ConfigError: it does, or is no URL.
    """
    try:
        parts = urlsplit(where)
    except ValueError as error:
        raise ConfigError(f"{what} cannot be read ({error}): write postgresql://USER@HOST/NAME") from error
    options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.password is not None or options & _SECRETS:
        raise ConfigError(
            f"{what} {without_password(where)} holds a password, which others would see: put it in ~/.pgpass, or in the "
            "environment as PGPASSWORD"
        )


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
        answer_seconds: longest for the connection, for a statement at the server, and for the network to carry anything; not
            less than 1. A server that says nothing at all for a second more is given up.
        settings: of the server, for this session, as ``{"idle_session_timeout": "6s"}``.

    Raises:
        DatabaseError: there is no answer, or it is refused.
        MissingRuntimeError: psycopg is not installed.
    """
    require_driver()
    from engine.runtime.postgres_connection import BoundedConnection

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
