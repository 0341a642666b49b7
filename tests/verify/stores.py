"""Galleries of each kind: a SQLite file, and a tenant of a PostgreSQL database."""

from __future__ import annotations

from engine.contracts.frames import Float32
from engine.verify.gallery.opening import gallery_file
from engine.verify.gallery.stored import StoredGallery


def holds(gallery: StoredGallery, vector: Float32) -> bool:
    """Whether a vector is still anywhere in what keeps a gallery: in the file and what lies beside it, or in a row."""
    if (path := gallery_file(gallery.where)) is not None:
        return any(vector.tobytes() in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    found = [
        gallery.tables.rows(f"SELECT 1 FROM {table} WHERE embedding = ?", (vector.tobytes(),))
        for table in ("pictures", "quarantined", "negatives")
    ]
    return any(found)
