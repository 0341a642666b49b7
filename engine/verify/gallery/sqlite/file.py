"""The SQLite file under the gallery: creates, checks and locks it, and explains its errors."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import GalleryError, MissingGalleryError
from engine.verify.gallery.person_name import spelling
from engine.verify.gallery.sqlite.cipher import GalleryKey, connect, driver_of, is_plain
from engine.verify.gallery.sqlite.epoch import epoch_of, note, noted_beside
from engine.verify.gallery.sqlite.kinds import are_sound
from engine.verify.gallery.sqlite.log import is_whole, make_log, mark_of, shorten_log, touched_since
from engine.verify.gallery.sqlite.schema import (
    FORMAT_1_AS_2,
    FROM_FORMAT_1,
    QUARANTINED_AS_NOW,
    QUARANTINED_BEFORE,
    SCHEMA,
    SCHEMA_VERSION,
    make,
)
from engine.verify.gallery.tables import Mark, Table

_APPLICATION_ID = 0x66737467  # "fstg": tells our file from any other SQLite file
BUSY_SECONDS = 5.0
_BESIDE = ("-wal", "-shm")
"""Endings of the files that SQLite keeps beside its own."""
_PAGE_BYTES = 4096
"""A file of one page has no tables: each has a page of its own."""
_RETRY_SECONDS = 0.02
_AT_ONCE = 1024
"""Rows fetched at a time from a query with too many to hold."""


class GalleryFile:
    """The gallery's tables in a SQLite file; see ``GalleryTables``.

    Args:
        path: created, with its folder, if it does not exist; only its owner may read it.
        read_only: never write; the file must exist.
        busy_seconds: how long to wait for another process's lock.
        key: of an encrypted file, or for a new one; None: not encrypted.

    Raises:
        GalleryError: it cannot be created or opened, or is not a gallery. Every method raises it for a file that is corrupt,
            locked or not writable.
    """

    def __init__(self, path: Path, read_only: bool, busy_seconds: float = BUSY_SECONDS, key: GalleryKey | None = None) -> None:
        self.path, self._key, self._driver = path, key, driver_of(key)
        if path.exists() and not path.is_file():
            kind = "folder" if path.is_dir() else "device or a pipe"
            raise GalleryError(f"cannot open the gallery {path}: it is a {kind}; choose a file")
        if read_only and not (path.is_file() and path.stat().st_size):
            is_not = "is nothing in the" if path.is_file() else "is no"
            raise MissingGalleryError(f"there {is_not} gallery {path}: enrol someone first with `facestream enrol NAME IMAGE`")
        made = False
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                made = not path.exists()
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would let others read it
            if key is not None and is_plain(path):
                raise GalleryError(
                    f"the gallery {path} is not encrypted, and a key was given: leave the key out, or encrypt it with "
                    "`facestream gallery encrypt`"
                )
        except OSError as error:
            raise GalleryError(f"cannot open the gallery {path}: {error.strerror}") from error
        uri = f"{path.absolute().as_uri()}?mode={_mode_to_read(path) if read_only else 'rw'}"
        with self.errors():
            self._database = connect(uri, key, busy_seconds)
        try:
            with self.errors():
                self._prepare(read_only)
        except GalleryError as error:
            is_others = "locked" in f"{error} {error.__cause__}"  # somebody is making it at this moment
            is_nothing = made and not is_others and self._holds_nothing()
            self._database.close()
            if is_nothing:
                for end in ("", *_BESIDE):
                    path.with_name(path.name + end).unlink(missing_ok=True)
            raise

    def _holds_nothing(self) -> bool:
        """Whether a file that could not be made, as on a full disk, has none of the gallery's tables."""
        with suppress(self._driver.Error):
            return self._is_blank()
        sizes = [path.stat().st_size for end in ("", "-wal") if (path := self.path.with_name(self.path.name + end)).exists()]
        return sum(sizes) <= _PAGE_BYTES

    def _prepare(self, read_only: bool) -> None:
        run = self._database.execute
        run("PRAGMA secure_delete = ON")
        if not read_only and self._is_blank():
            self._make_tables()
        if run("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
            raise GalleryError(f"{self.path} is a database, but not a gallery of facestream: choose another path")
        found = run("PRAGMA user_version").fetchone()[0]
        if found == 1:
            found = self._from_format_1(read_only)
        if found != SCHEMA_VERSION:
            raise GalleryError(
                f"the gallery {self.path} has format {found}, this facestream reads format {SCHEMA_VERSION}: use the "
                "facestream that wrote it, or enrol into a new file"
            )
        if len(self.rows("SELECT version FROM state")) != 1:
            raise self._damaged()
        is_older = run(QUARANTINED_BEFORE).fetchone() is not None
        if read_only and is_older:
            run(QUARANTINED_AS_NOW)
        if not read_only and (is_older or not is_whole(self)):
            with self.transaction("IMMEDIATE"):
                make_log(self)
                if is_older:
                    self.make("quarantined")

    def _make_tables(self) -> None:
        self._use_wal()
        with self.transaction("IMMEDIATE"):
            if self._is_blank():  # checked again under the lock: another process may have been first
                for statement in SCHEMA:
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _from_format_1(self, read_only: bool) -> int:
        """Migrate an older file to this format, or present it in this format to readers; return the format."""
        self._database.create_function("spelling", 1, spelling, deterministic=True)
        if read_only:
            self._database.execute(FORMAT_1_AS_2)
            return SCHEMA_VERSION
        with self.transaction("IMMEDIATE"):
            if self._database.execute("PRAGMA user_version").fetchone()[0] == 1:  # another process may have been first
                for statement in FROM_FORMAT_1:
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return SCHEMA_VERSION

    def _use_wal(self) -> None:
        """Switch to a write-ahead log, so that readers do not wait. SQLite's own time-out does not cover this lock."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except self._driver.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(_RETRY_SECONDS)

    def _is_blank(self) -> bool:
        return bool(self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """See ``GalleryTables``."""
        with self.errors():
            return self._database.execute(statement, values).rowcount

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """See ``GalleryTables``."""
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        with self.errors():
            self._database.executemany(statement, rows)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See ``GalleryTables``."""
        with self.errors():
            found = self._database.execute(statement, values)
            return self._sound(found, found.fetchall())

    def has(self, table: Table) -> bool:
        """See ``GalleryTables``."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))

    def make(self, table: Table) -> None:
        """See ``GalleryTables``."""
        make(self, table)

    def state(self) -> tuple[str, int]:
        """See ``GalleryTables``."""
        noted = noted_beside(self.path)
        revision = int(self.rows("SELECT version FROM state")[0][0])
        return epoch_of(self, revision, noted), revision

    def each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """See ``GalleryTables``."""
        with self.errors():
            found = self._database.execute(statement, values)
            while rows := found.fetchmany(_AT_ONCE):
                yield from self._sound(found, rows)

    def _sound(self, found: Any, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if not are_sound((name for name, *_ in found.description or ()), rows):
            raise self._damaged()
        return rows

    def _damaged(self) -> GalleryError:
        return GalleryError(f"the gallery {self.path} holds damaged rows: {_advice('', self._key)}")

    def mark(self) -> Mark | None:
        """See ``GalleryTables``."""
        return mark_of(self)

    def touched(self, mark: Mark) -> dict[Table, set[int]] | None:
        """See ``GalleryTables``."""
        return touched_since(self, mark)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See ``GalleryTables``."""
        with self.transaction("DEFERRED"):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """See ``GalleryTables``."""
        with self.transaction("IMMEDIATE"):
            yield
            shorten_log(self)
        note(self)

    @contextmanager
    def transaction(self, kind: str) -> Iterator[None]:
        """Execute all statements of the block, or none.

        Args:
            kind: ``IMMEDIATE`` to write (waits for other writers), ``DEFERRED`` to read a consistent state.
        """
        self.execute(f"BEGIN {kind}")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def wipe(self) -> None:
        """See ``GalleryTables``: the log still holds the old pages. It is emptied as far as readers release it."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ``GalleryError``."""
        try:
            yield
        except self._driver.Error as error:
            raise GalleryError(f"the gallery {self.path} cannot be used ({error}): {_advice(str(error), self._key)}") from error

    def close(self) -> None:
        """See ``GalleryTables``."""
        self._database.close()


def _mode_to_read(path: Path) -> str:
    """Return the mode for reading a file: SQLite creates a log beside it even for reading, which a read-only folder forbids."""
    log = Path(f"{path}-wal")
    is_at_rest = not os.access(path.parent, os.W_OK) and not log.exists()
    return "ro&immutable=1" if is_at_rest else "ro"


def _advice(text: str, key: GalleryKey | None) -> str:
    if "not a database" in text and key is None:
        return "it is encrypted, and --gallery-key FILE (verify.gallery_key_file) opens it, or it is no gallery"
    if "not a database" in text and key is not None:
        return f"{key.file} holds another key than it was encrypted with, or it is damaged or no gallery"
    if "locked" in text:
        return "another process is writing to it, try again"
    if "is full" in text:
        return "make room on its disk, then do it again"
    if "disk I/O" in text:  # also a full disk, if reading needs a log beside the file
        return "check that its disk has room and is whole"
    if "readonly" in text or "unable to open" in text:
        return "check the permissions of the file and of its folder"
    if "UNIQUE" in text:
        return "this picture is enrolled already"
    return "restore it from a copy, or choose another file and enrol again"
