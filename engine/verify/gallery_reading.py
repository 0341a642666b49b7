"""Everything that vectors of one embedder may be compared with, read from a gallery at one moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.contracts.frames import Float32
from engine.contracts.gallery_version import GalleryVersion
from engine.errors import GalleryError
from engine.verify.gallery_digest import digest_of
from engine.verify.gallery_tables import GalleryTables
from engine.verify.negatives import read_negatives
from engine.verify.snapshot import Snapshot


def read_snapshot(file: GalleryTables, embedder_sha256: str) -> Snapshot:
    """Return who may be recognised by an embedder.

    Raises:
        GalleryError: the gallery cannot be read, or its vectors are damaged.
    """
    with file.reading():
        return snapshot_of(file, embedder_sha256)


def snapshot_of(file: GalleryTables, embedder_sha256: str) -> Snapshot:
    """As ``read_snapshot``, within a transaction."""
    epoch, revision = file.state()
    rows = file.rows("SELECT identity, embedding FROM pictures WHERE embedder_sha256 = ?", (embedder_sha256,))
    others = file.rows(
        "SELECT DISTINCT identity FROM pictures WHERE identity NOT IN"
        " (SELECT identity FROM pictures WHERE embedder_sha256 = ?) ORDER BY identity",
        (embedder_sha256,),
    )
    rows.sort()  # in an order of their own: equal people are equal, whoever was first, and whatever database it is
    matrix = _matrix([blob for _, blob in rows], file.where)
    negatives = read_negatives(file, embedder_sha256, matrix.shape[1])
    names = [str(name) for name, _ in rows]
    exactly = GalleryVersion(epoch, revision, digest_of(names, matrix, negatives))
    return Snapshot(revision, names, matrix, [str(name) for (name,) in others], negatives, exactly)


def _matrix(blobs: Sequence[bytes], where: str) -> Float32:
    lengths = {len(blob) for blob in blobs}
    if len(lengths) > 1 or any(length == 0 or length % 4 for length in lengths):
        raise GalleryError(f"the gallery {where} holds damaged vectors: restore it from a copy, or enrol again into a new file")
    width = lengths.pop() // 4 if lengths else 0
    rows = np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), width)
    return rows.astype(np.float32, order="F")  # by columns a large gallery is compared with in three quarters of the time
