"""The SQLite file of a buffer: how it is opened, and set aside if it is damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import ConfigError, OutputError
from engine.words.numbers import count

NAME = "buffer.sqlite"
PAGE_BYTES = 8192
RESERVE_BYTES = 16 << 20
"""Room in the file that is never given back, so that messages still pass where something else fills the disk."""
BALLAST_BYTES = 32 << 20
"""Of a file that is there to be deleted when the disk is full: what SQLite's log holds can then be written back, and go."""
_BALLAST = "ballast"
_VERSION = 1
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE entry (id INTEGER PRIMARY KEY, run TEXT, stream TEXT, kind TEXT, first INTEGER, last INTEGER, missing TEXT,
    added_ns INTEGER, crc INTEGER, body BLOB);
CREATE TABLE position (stream TEXT, kind TEXT, run TEXT, next INTEGER, PRIMARY KEY (stream, kind));
CREATE TABLE site (prefix TEXT);
CREATE TABLE reserve (filler BLOB);
"""
_MARKS = "CREATE TABLE IF NOT EXISTS mark (part TEXT PRIMARY KEY, next INTEGER)"
"""Also in a file of before there were marks."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is not what was written."""
    return _primary(error) in _DAMAGED


def is_no_room(error: sqlite3.Error) -> bool:
    """Whether the file cannot be written now, as on a full disk."""
    return _primary(error) in _NO_ROOM


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def opened(folder: Path, prefix: str, warn: Callable[[str], None]) -> sqlite3.Connection:
    """Return a connection that writes for a site; a file that is damaged is set aside, and told.

    Raises:
        ConfigError: messages of another site wait in it.
        OutputError: it cannot be used.
    """
    try:
        try:
            return _prepared(folder, prefix)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            warn(f"{set_aside(folder, error)}; what waited in it is lost to this bridge")
            return _prepared(folder, prefix)
    except (sqlite3.Error, OSError) as error:
        what = "there is no room on the disk" if isinstance(error, sqlite3.Error) and is_no_room(error) else error
        raise OutputError(f"the buffer {folder} cannot be used: {what}") from error


def connected(folder: Path) -> sqlite3.Connection:
    """Return a connection to a file that is there, of which no transaction begins by itself."""
    connection = sqlite3.connect(folder / NAME, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # What is committed outlives a power cut: what others sent once is not sent again.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=FAST")  # to zero what goes, page by page, needs as much room as it has
    return connection


def lay_ballast(folder: Path) -> bool:
    """Take the room of the ballast, if the disk has some to spare; return whether it is there."""
    path = folder / _BALLAST
    with suppress(OSError):
        if not path.exists() and shutil.disk_usage(folder).free > 2 * BALLAST_BYTES:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
            finally:
                os.close(descriptor)
    return path.exists()


def drop_ballast(folder: Path) -> bool:
    """Give the room of the ballast to whoever needs it now; return whether there was one."""
    try:
        (folder / _BALLAST).unlink()
    except OSError:
        return False
    return True


def set_aside(folder: Path, error: Exception) -> str:
    """Move a damaged file away, and return what to tell."""
    name = f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.sqlite"
    for path in folder.glob(f"{NAME}*"):
        path.rename(path.with_name(path.name.replace(NAME, name)))
    return f"the buffer {folder} was damaged ({error}), and is set aside as {name}"


def _prepared(folder: Path, prefix: str) -> sqlite3.Connection:
    os.close(os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    connection = connected(folder)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise OutputError(
                f"the buffer {folder} was written by another version of facestream: send what waits with that version first"
            )
        if not version:
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        if not version:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={_VERSION}; COMMIT")
        connection.execute(_MARKS)
        _claim(connection, folder, prefix)
        _reserve(connection)
        lay_ballast(folder)
    except BaseException:
        connection.close()
        raise
    return connection


def _claim(connection: sqlite3.Connection, folder: Path, prefix: str) -> None:
    """See to it that what waits goes out under the name under which it came."""
    others = [name for (name,) in connection.execute("SELECT prefix FROM site WHERE prefix != ?", (prefix,))]
    waiting = connection.execute("SELECT count(*) FROM entry").fetchone()[0]
    if others and waiting:
        raise ConfigError(
            f"the buffer {folder} holds {count(waiting, 'message')} of the site {others[0]}: "
            f"send what waits with --prefix {others[0]} first, or give --buffer another folder"
        )
    if others or not connection.execute("SELECT 1 FROM site").fetchone():
        connection.execute("DELETE FROM site")
        connection.execute("INSERT INTO site VALUES (?)", (prefix,))


def _reserve(connection: sqlite3.Connection) -> None:
    """Take room that is free afterwards, in the file and in its log."""
    if connection.execute("PRAGMA freelist_count").fetchone()[0] * PAGE_BYTES < RESERVE_BYTES // 2:
        with suppress(sqlite3.OperationalError):  # a full disk: what waits can be sent all the same
            connection.execute("INSERT INTO reserve VALUES (zeroblob(?))", (RESERVE_BYTES,))
    connection.execute("DELETE FROM reserve")  # also what a kill has left here
