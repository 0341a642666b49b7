"""The log of changed rows in a gallery's file, so that followers read only those.

Triggers write it, whichever program changes the file. Each entry has a random word beside its number: after an earlier copy was
put back and changed, the words differ, and the file is read as a whole. It contains no names and no vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.verify.gallery.tables import Mark, Table

if TYPE_CHECKING:
    from engine.verify.gallery.sqlite.file import GalleryFile

_KEPT = 10_000
"""Entries that are kept; a follower that is further behind reads everything."""
_UNIQUE = {
    "pictures": "picture_sha256 = NEW.picture_sha256 AND embedder_sha256 = NEW.embedder_sha256",
    "negatives": "identity = NEW.identity AND embedder_sha256 = NEW.embedder_sha256 AND source = NEW.source"
    " AND embedding = NEW.embedding",
}
_TABLE = """CREATE TABLE touched (
    number INTEGER PRIMARY KEY, word BLOB NOT NULL DEFAULT (randomblob(8)), kind TEXT NOT NULL, row INTEGER NOT NULL
)"""
_BEGIN = "INSERT INTO touched (kind, row) VALUES ('', 0)"
_REPLACED = "SELECT '{table}', id FROM {table} WHERE {unique}"
"""Rows removed by ``REPLACE`` fire no trigger of their own."""
_EVENTS = {
    "replaced": ("BEFORE INSERT", _REPLACED + " OR id = NEW.id"),
    "new": ("AFTER INSERT", "SELECT '{table}', NEW.id"),
    "changed": ("BEFORE UPDATE", _REPLACED + " OR id IN (OLD.id, NEW.id) UNION SELECT '{table}', NEW.id"),
    "gone": ("AFTER DELETE", "SELECT '{table}', OLD.id"),
}
_TRIGGERS = {
    f"{table}_{name}": f"CREATE TRIGGER {table}_{name} {when} ON {table} BEGIN"
    f" INSERT INTO touched (kind, row) {rows.format(table=table, unique=unique)}; END"
    for table, unique in _UNIQUE.items()
    for name, (when, rows) in _EVENTS.items()
}


def make_log(file: GalleryFile) -> None:
    """Create the log if it is missing or incomplete; within a transaction.

    Raises:
        GalleryError: the file cannot be written.
    """
    if is_whole(file):
        return
    forget_log(file)
    file.make("negatives")
    for statement in (_TABLE, _BEGIN, *_TRIGGERS.values()):
        file.execute(statement)


def forget_log(file: GalleryFile) -> None:
    """Remove the log, before many rows are inserted; within a transaction."""
    for name in _TRIGGERS:
        file.execute(f"DROP TRIGGER IF EXISTS {name}")
    file.execute("DROP TABLE IF EXISTS touched")


def shorten_log(file: GalleryFile) -> None:
    """Delete entries too old to be needed; within a transaction."""
    file.execute(f"DELETE FROM touched WHERE number <= (SELECT max(number) FROM touched) - {_KEPT}")


def mark_of(file: GalleryFile) -> Mark | None:
    """Return the current position in the log; None if there is no log."""
    if not is_whole(file):
        return None
    rows = file.rows("SELECT number, word FROM touched ORDER BY number DESC LIMIT 1")
    return Mark(*rows[0]) if rows else None


def touched_since(file: GalleryFile, mark: Mark) -> dict[Table, set[int]] | None:
    """Return the numbers of rows changed since a mark, by table; None: the log does not reach back that far."""
    if not is_whole(file) or not file.rows("SELECT 1 FROM touched WHERE number = ? AND word = ?", mark):
        return None
    if file.rows("SELECT max(number) FROM touched")[0][0] - mark.number > _KEPT:  # an earlier version does not shorten it
        return None
    found: dict[Table, set[int]] = {"pictures": set(), "negatives": set()}
    for table, numbers in found.items():
        rows = file.rows("SELECT row FROM touched WHERE number > ? AND kind = ?", (mark.number, table))
        numbers.update(number for (number,) in rows)
    return found


def is_whole(file: GalleryFile) -> bool:
    """Whether the log and all of its triggers exist."""
    names = {name for (name,) in file.rows("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'table')")}
    return names.issuperset(("touched", *_TRIGGERS))
