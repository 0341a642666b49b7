"""Reads all data of a gallery that vectors of one embedder may be compared with, at one moment; after a change, reads only what
has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.contracts.gallery import GalleryVersion
from engine.errors import GalleryError
from engine.verify.gallery.digest import digest_of
from engine.verify.gallery.leaf import Gone, Leaf, Row, Rows, changed, leaves_of
from engine.verify.gallery.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.verify.gallery.tables import GalleryTables, Mark, Table


_ROW = "identity, embedding, id"


class GalleryReading:
    """Reads a gallery, and reads it again: the result always equals that of reading everything.

    It may be given a gallery that was opened again, a copy of it, or another one. Use it from one thread.

    Args:
        embedder_sha256: the embedder of the vectors.
    """

    def __init__(self, embedder_sha256: str) -> None:
        self._embedder = embedder_sha256
        self._leaves: Sequence[Leaf] = ()
        self._mark: Mark | None = None
        """Position in the log of changes at which the leaves were read."""

    def read(self, tables: GalleryTables) -> Snapshot:
        """Return who may be recognised now.

        Raises:
            GalleryError: the gallery cannot be read, or its vectors are damaged.
        """
        with tables.reading():
            return self.read_within(tables)

    def read_within(self, tables: GalleryTables) -> Snapshot:
        """As ``read``, within a transaction."""
        epoch, revision = tables.state()
        before, self._mark = self._mark, None  # set once all was read
        touched, mark = tables.touched(before) if before else None, tables.mark()
        try:
            leaves = None if touched is None else self._changed(tables, touched)
            self._leaves = tuple(self._whole(tables)) if leaves is None else leaves
        except ValueError as error:
            advice = "restore it from a copy, or enrol again into a new file"
            raise GalleryError(f"the gallery {tables.where} holds damaged vectors: {advice}") from error
        self._mark = mark
        exactly = GalleryVersion(epoch, revision, digest_of(leaf.digest for leaf in self._leaves))
        return Snapshot(revision, self._leaves, exactly)

    def _whole(self, tables: GalleryTables) -> Iterator[Leaf]:
        of_others = tables.rows("SELECT identity, id FROM pictures WHERE embedder_sha256 <> ?", (self._embedder,))
        others = [Row(str(name), b"", number) for name, number in of_others]
        negatives = list[Row]()
        if tables.has("negatives"):
            said = tables.rows(f"SELECT {_ROW} FROM negatives WHERE embedder_sha256 = ?", (self._embedder,))
            negatives = [Row(*row) for row in said]
        pictures = f"SELECT {_ROW} FROM pictures WHERE embedder_sha256 = ? ORDER BY identity"
        return leaves_of(Rows(map(Row._make, tables.each(pictures, (self._embedder,))), sorted(negatives), sorted(others)))

    def _changed(self, tables: GalleryTables, touched: Mapping[Table, Collection[int]]) -> Sequence[Leaf] | None:
        gone = Gone(touched["pictures"], touched["negatives"])
        pictures, others = list[Row](), list[Row]()
        for *row, embedder in _numbered(tables, "pictures", gone.pictures):
            name, vector, number = row
            if embedder == self._embedder:
                pictures.append(Row(name, vector, number))
            else:
                others.append(Row(name, b"", number))
        negatives = [Row(*row) for *row, of in _numbered(tables, "negatives", gone.negatives) if of == self._embedder]
        return changed(self._leaves, gone, Rows(pictures, negatives, others))


def _numbered(tables: GalleryTables, table: Table, numbers: Collection[int]) -> list[tuple[Any, ...]]:
    marks = ", ".join("?" * len(numbers))
    return tables.rows(f"SELECT {_ROW}, embedder_sha256 FROM {table} WHERE id IN ({marks})", tuple(numbers))


def read_snapshot(tables: GalleryTables, embedder_sha256: str) -> Snapshot:
    """Return who may be recognised by an embedder, as ``GalleryReading.read``."""
    return GalleryReading(embedder_sha256).read(tables)
