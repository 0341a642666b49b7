"""The tables of a gallery in a SQLite file.

Those in ``MADE_WHEN_NEEDED`` are created with their first row: a version of facestream that does not know them reads the file
as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.verify.gallery.pictures import COLUMNS

if TYPE_CHECKING:
    from engine.verify.gallery.sqlite.file import GalleryFile
    from engine.verify.gallery.tables import Table

SCHEMA_VERSION = 2
SCHEMA = (
    "CREATE TABLE state (version INTEGER NOT NULL)",
    "INSERT INTO state VALUES (0)",
    """CREATE TABLE pictures (
        id INTEGER PRIMARY KEY,
        identity TEXT NOT NULL CHECK (identity <> ''),
        embedder TEXT NOT NULL,
        embedder_sha256 TEXT NOT NULL,
        embedding BLOB NOT NULL,  -- float32, little-endian, length 1
        source_name TEXT NOT NULL,
        picture_sha256 TEXT NOT NULL,
        quality REAL NOT NULL,
        enrolled_at TEXT NOT NULL,  -- UTC, ISO 8601
        runtime TEXT NOT NULL DEFAULT '',  -- that computed the embedding, with version and precision
        doubt TEXT NOT NULL DEFAULT '',  -- why it was in question when it was enrolled all the same
        UNIQUE (picture_sha256, embedder_sha256)
    )""",
    "CREATE INDEX pictures_by_embedder ON pictures (embedder_sha256, identity)",
)
FROM_FORMAT_1 = (
    "ALTER TABLE pictures ADD COLUMN doubt TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE pictures ADD COLUMN runtime TEXT NOT NULL DEFAULT ''",
    "UPDATE pictures SET identity = spelling(identity)",
    "UPDATE state SET version = version + 1",
)
FORMAT_1_AS_2 = """CREATE TEMP VIEW pictures AS SELECT id, spelling(identity) AS identity, embedder, embedder_sha256,
    embedding, source_name, picture_sha256, quality, enrolled_at, '' AS doubt, '' AS runtime FROM main.pictures"""
"""For readers, which cannot migrate the file: the view hides the table of the same name."""
_QUARANTINED = """CREATE TABLE IF NOT EXISTS quarantined (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL CHECK (identity <> ''),
    embedder TEXT NOT NULL,
    embedder_sha256 TEXT NOT NULL,
    embedding BLOB NOT NULL,  -- float32, little-endian, length 1
    source_name TEXT NOT NULL,
    picture_sha256 TEXT NOT NULL,
    quality REAL NOT NULL,
    enrolled_at TEXT NOT NULL,  -- when it was set apart: UTC, ISO 8601
    runtime TEXT NOT NULL,
    doubt TEXT NOT NULL,
    portrait TEXT NOT NULL DEFAULT '',  -- the face as a small JPEG, base64, for whoever decides
    UNIQUE (identity, picture_sha256, embedder_sha256)
)"""
_NEGATIVES = """CREATE TABLE IF NOT EXISTS negatives (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL CHECK (identity <> ''),
    embedder_sha256 TEXT NOT NULL,
    embedding BLOB NOT NULL,  -- float32, little-endian, length 1
    source TEXT NOT NULL,  -- the track that it is of
    marked_at TEXT NOT NULL,  -- UTC, ISO 8601
    UNIQUE (identity, embedder_sha256, source, embedding)
)"""
MADE_WHEN_NEEDED: dict[Table, str] = {"quarantined": _QUARANTINED, "negatives": _NEGATIVES}
QUARANTINED_BEFORE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'quarantined' AND sql NOT LIKE '%portrait%'"
"""Finds the table of earlier versions, which had no portraits."""
QUARANTINED_AS_NOW = f"CREATE TEMP VIEW quarantined AS SELECT id, {', '.join(COLUMNS)}, '' AS portrait FROM main.quarantined"
"""For readers of that table."""
_OF_ONE_PERSON = "UNIQUE (identity,"


def make(file: GalleryFile, table: Table) -> None:
    """Create a missing table, within a transaction, or migrate one of an earlier version, in which a picture could be
    quarantined for one person only, or had no portrait.

    Raises:
        GalleryError: the file cannot be written.
    """
    if table not in MADE_WHEN_NEEDED:
        return
    file.execute(MADE_WHEN_NEEDED[table])
    ((made,),) = file.rows("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    if _OF_ONE_PERSON not in made:
        columns = ", ".join(("id", *COLUMNS))
        file.execute("ALTER TABLE quarantined RENAME TO quarantined_before")
        file.execute(_QUARANTINED)
        file.execute(f"INSERT INTO quarantined ({columns}) SELECT {columns} FROM quarantined_before")
        file.execute("DROP TABLE quarantined_before")
    elif table == "quarantined" and "portrait" not in made:
        file.execute("ALTER TABLE quarantined ADD COLUMN portrait TEXT NOT NULL DEFAULT ''")
