"""Encryption of a gallery's file at rest with SQLCipher: every page of it, and of the log beside it.

The key is 32 random bytes in a file of its own. It is not a password: it cannot be guessed, and needs no key derivation, which
would take a fifth of a second each time a run reads changes.
"""

from __future__ import annotations

import re
import sqlite3
import stat
from pathlib import Path
from shlex import quote
from types import ModuleType

from engine.errors import ConfigError, MissingRuntimeError
from engine.private_file import others_may_read

_DIGITS = re.compile(rb"[0-9A-Fa-f]{64}\s*")
_LARGEST_BYTES = 4096
_PLAIN = b"SQLite format 3\0"
"""First bytes of a file that is not encrypted."""


class GalleryKey:
    """A key; it is never shown.

    Args:
        digits: 64 hexadecimal digits.
        file: the file it was read from.
    """

    def __init__(self, digits: str, file: Path) -> None:
        self._digits, self.file = digits, file

    @property
    def statement(self) -> str:
        """Statement that unlocks a database that was just opened."""
        return f"PRAGMA key = \"x'{self._digits}'\""

    def __repr__(self) -> str:
        return f"GalleryKey({self.file})"


def read_key(path: Path) -> GalleryKey:
    """Return the key in a file.

    Raises:
        ConfigError: the file cannot be read, holds no key, or is readable by others; its content is never in the message.
    """
    try:
        path = path.expanduser()
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path} is not a file: name the one that holds the gallery's key")
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"cannot read the gallery's key {path}: {getattr(error, 'strerror', None) or error}") from error
    if not _DIGITS.fullmatch(content):
        raise ConfigError(
            f"{path} holds no key of a gallery, which is 64 hexadecimal digits: make one with `facestream gallery new-key FILE`"
        )
    if others_may_read(status):
        raise ConfigError(
            f"others may read the key in {path}: run `chmod 600 {quote(str(path))}`, and encrypt with a new one if somebody has"
        )
    return GalleryKey(content.strip().decode("ascii"), path)


def driver_of(key: GalleryKey | None) -> ModuleType:
    """Return the database module that opens a gallery: it has the interface of ``sqlite3``, but its own exceptions.

    Raises:
        MissingRuntimeError: there is a key, and SQLCipher is not installed.
    """
    if key is None:
        return sqlite3
    try:
        from sqlcipher3 import dbapi2
    except ImportError as error:
        raise MissingRuntimeError(
            f"an encrypted gallery needs SQLCipher, which is not installed: pip install 'facestream[encrypted]' ({error})"
        ) from error
    driver: ModuleType = dbapi2
    return driver


def connect(uri: str, key: GalleryKey | None, busy_seconds: float) -> sqlite3.Connection:
    """Open and unlock a database; a wrong key is noticed only at the first read.

    Raises:
        MissingRuntimeError: see ``driver_of``.
        sqlite3.Error: it cannot be opened; with a key, its driver's ``Error``.
    """
    database: sqlite3.Connection = driver_of(key).connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)
    if key is not None:
        database.execute("PRAGMA cipher_log_level = NONE")  # otherwise it writes errors to standard error
        database.execute(key.statement)
        if database.execute("PRAGMA cipher_version").fetchone() is None:  # plain SQLite accepts a key, and ignores it
            database.close()
            raise MissingRuntimeError("the installed sqlcipher3 is without SQLCipher: pip install 'facestream[encrypted]'")
    return database


def is_plain(path: Path) -> bool:
    """Whether a file is an unencrypted SQLite file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_PLAIN)) == _PLAIN
