"""Which database is meant: ``postgresql://USER@HOST/NAME``, in which no password stands."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote_plus, urlsplit, urlunsplit

from engine.errors import ConfigError
from engine.words.text import readable

_SCHEMES = ("postgresql://", "postgres://")
_SECRETS = {"password", "sslpassword"}


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
    if where != readable(where):
        raise ConfigError(f"{what} {without_password(readable(where))} is not UTF-8: write postgresql://USER@HOST/NAME")
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
