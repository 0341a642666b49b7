"""A machine's copy of a gallery in a database: enough to go on deciding while the database is unreachable.

It is a gallery file (``engine.verify.gallery.sqlite.file``) without file names and doubts, plus one row that says which state
of the database it is and when it was last known to be current. Rows have the same numbers as in the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import GalleryError
from engine.verify.gallery.postgres.vectors import to_vector
from engine.verify.gallery.sqlite.file import GalleryFile

_ORIGIN = """CREATE TABLE IF NOT EXISTS origin (
    epoch TEXT NOT NULL, revision INTEGER NOT NULL, content TEXT NOT NULL, seen_ns INTEGER NOT NULL
)"""
_PICTURE = ("id", "identity", "embedder", "embedder_sha256", "embedding", "picture_sha256")
_NEGATIVE = ("id", "identity", "embedder_sha256", "embedding", "source")
COLUMNS = {"pictures": _PICTURE, "negatives": _NEGATIVE}
"""Columns that are kept, by table; ``id`` first."""
_UNUSED = {"pictures": {"source_name": "''", "quality": "0", "enrolled_at": "''"}, "negatives": {"marked_at": "''"}}


class Origin(NamedTuple):
    """The state of the database that the file is a copy of."""

    epoch: str
    revision: int
    content: int
    """Exclusive or of ``word_of`` over all rows."""


class CacheFile(GalleryFile):
    """An open cache.

    Args:
        path: created, with its folder, if it does not exist.

    Raises:
        GalleryError: see ``GalleryFile``.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        super().__init__(path, read_only)
        self.forgot = False
        """Whether a row was deleted."""
        if not read_only:
            self.rows("PRAGMA synchronous = NORMAL")  # a power cut may lose the last changes, which the database has
            self.execute(_ORIGIN)

    @property
    def origin(self) -> Origin | None:
        """State of the database that it holds; None: nothing yet."""
        for epoch, revision, content in self.rows("SELECT epoch, revision, content FROM origin"):
            return Origin(str(epoch), int(revision), int(content, 16))
        return None

    @property
    def seen_ns(self) -> int:
        """When it was last known to be current (Unix, ns); 0: never."""
        return int(self.rows("SELECT coalesce(max(seen_ns), 0) FROM origin")[0][0])

    def state(self) -> tuple[str, int]:
        """Epoch and revision of the database."""
        origin = self.origin
        return (origin.epoch, origin.revision) if origin else ("0" * 16, 0)

    def settle(self, origin: Origin, seen_ns: int) -> None:
        """Record which state it holds; within ``writing``, or alone."""
        self.execute("DELETE FROM origin")
        self.execute("INSERT INTO origin VALUES (?, ?, ?, ?)", (origin.epoch, origin.revision, f"{origin.content:x}", seen_ns))
        self.execute("UPDATE state SET version = ?", (origin.revision,))

    def clear(self) -> None:
        """Delete all rows; within ``writing``."""
        for table in ("pictures", "negatives"):
            if self.has(table):
                self.forgot |= self.execute(f"DELETE FROM {table}") > 0
        self.execute("DELETE FROM origin")

    def forget(self, table: str, numbers: Sequence[int]) -> int:
        """Delete rows, which need not exist, within ``writing``; return the exclusive or of their words."""
        content = 0
        for number in numbers:
            for row in self.rows(f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE id = ?", (number,)):
                content ^= word_of(table, row)
            self.forgot |= self.execute(f"DELETE FROM {table} WHERE id = ?", (number,)) > 0
        return content

    def keep(self, table: str, rows: Iterable[Sequence[Any]]) -> int:
        """Insert rows that are not there, within ``writing``; return the exclusive or of their words.

        Args:
            table: ``pictures`` or ``negatives``.
            rows: by ``COLUMNS``.
        """
        content, columns, unused = 0, COLUMNS[table], _UNUSED[table]
        marks = ", ".join((*"?" * len(columns), *unused.values()))
        statement = f"INSERT INTO {table} ({', '.join((*columns, *unused))}) VALUES ({marks})"
        for row in rows:
            content ^= word_of(table, row)
            self.execute(statement, row)
        return content


def seen_at(path: Path) -> int:
    """Return ``seen_ns`` of a file; 0 if it does not exist or is damaged."""
    with suppress(GalleryError), closing(CacheFile(path, read_only=True)) as cache:
        return cache.seen_ns
    return 0


def forget_cache(path: Path) -> None:
    """Remove a cache, with SQLite's files beside it.

    Raises:
        GalleryError: it cannot be removed.
    """
    for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        try:
            part.unlink(missing_ok=True)
        except OSError as error:
            raise GalleryError(
                f"{part} cannot be removed ({error.strerror}), and may hold people who are gone: do it"
            ) from error


def word_of(table: str, row: Sequence[Any]) -> int:
    """Return the hash of a row, as computed by ``gallery.word`` in the database.

    Args:
        table: ``pictures`` or ``negatives``.
        row: by ``COLUMNS``.
    """
    of = dict(zip(COLUMNS[table], row, strict=True))
    head = f"{table} {of['id']} {of['embedder_sha256']} {of['identity']} ".encode()
    return int.from_bytes(hashlib.sha256(head + to_vector(of["embedding"])).digest()[:16], "big")
