"""Copies a gallery from one kind of store to another, or from one place to another."""

from __future__ import annotations

from typing import NamedTuple

from engine.errors import GalleryError
from engine.verify.gallery.pictures import APART_COLUMNS, COLUMNS
from engine.verify.gallery.reading import GalleryReading
from engine.verify.gallery.stored import StoredGallery
from engine.verify.gallery.tables import Table

_COPIED: dict[Table, tuple[str, ...]] = {
    "pictures": COLUMNS,
    "quarantined": APART_COLUMNS,
    "negatives": ("identity", "embedder_sha256", "embedding", "source", "marked_at"),
}


class Copied(NamedTuple):
    """The number of copied entries."""

    pictures: int
    apart: int
    """Number of quarantined pictures."""
    negatives: int
    """Number of faces kept as not of a person."""
    digests: dict[str, str]
    """Digests of both galleries, by embedder: see ``GalleryVersion.digest``."""


def copy_gallery(source: StoredGallery, target: StoredGallery) -> Copied:
    """Copy a whole gallery into an empty one, or nothing; afterwards compare everything that decisions rest on.

    Raises:
        GalleryError: the target is not empty, a gallery cannot be read or written, or the two differ afterwards.
    """
    old, new = source.tables, target.tables
    if old.where == new.where:
        raise GalleryError(f"{old.where} is one gallery: name another one to copy it to")
    counts: dict[Table, int] = {}
    with old.reading(), new.writing():
        old.state()
        if any(new.has(table) and new.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in _COPIED):
            raise GalleryError(f"the gallery {new.where} holds people already: copy to an empty one")
        for table, columns in _COPIED.items():
            rows = old.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id") if old.has(table) else []
            if rows:
                new.make(table)
                new.insert_many(table, columns, rows)
            counts[table] = len(rows)
        new.execute("UPDATE state SET version = version + 1")
        digests = {}
        for (sha256,) in old.rows("SELECT DISTINCT embedder_sha256 FROM pictures ORDER BY 1"):
            before, after = (GalleryReading(sha256).read_within(tables).gallery for tables in (old, new))
            if before is None or after is None or before.digest != after.digest:
                raise GalleryError(f"the copy of the gallery {old.where} differs from it, and was discarded: try again")
            digests[str(sha256)] = after.digest
    return Copied(counts["pictures"], counts["quarantined"], counts["negatives"], digests)
