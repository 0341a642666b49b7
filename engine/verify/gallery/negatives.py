"""Faces that were mistaken for somebody: kept in the gallery so that the mistake is not repeated.

The rule: a face does not get a person's name if it is at least as similar to that person's negatives as to their pictures. For
such a face it is as if the person were not enrolled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from engine.contracts.frames import Float32
from engine.verify.gallery.person_name import spelling
from engine.verify.gallery.tables import GalleryTables
from engine.verify.open_set import OpenSet, open_set_of

_ONE_IN_TWENTY = 0.05
MOST_OF_A_PERSON = 500
"""Most vectors kept of a person; older ones are dropped."""


def keep_negatives(file: GalleryTables, identity: str, embedder_sha256: str, source: str, vectors: Iterable[Float32]) -> int:
    """Keep vectors of faces that do not show a person, within a transaction; return how many are new.

    Raises:
        GalleryError: it cannot be written.
    """
    file.make("negatives")
    now, name = datetime.now(UTC).isoformat(timespec="seconds"), spelling(identity)
    kept = 0
    for vector in vectors:
        content = np.ascontiguousarray(vector, "<f4").tobytes()
        kept += file.execute(
            "INSERT INTO negatives (identity, embedder_sha256, embedding, source, marked_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (name, embedder_sha256, content, source, now),
        )
    file.execute(
        "DELETE FROM negatives WHERE identity = ? AND id NOT IN"
        " (SELECT id FROM negatives WHERE identity = ? ORDER BY id DESC LIMIT ?)",
        (name, name, MOST_OF_A_PERSON),
    )
    return kept


def count_negatives(file: GalleryTables) -> dict[str, int]:
    """Return by person how many tracks were marked as not showing them.

    Raises:
        GalleryError: it cannot be read.
    """
    if not file.has("negatives"):
        return {}
    return {str(name): int(n) for name, n in file.rows("SELECT identity, count(DISTINCT source) FROM negatives GROUP BY 1")}


def remove_negatives(file: GalleryTables, identity: str) -> int:
    """Delete those of a person, within a transaction; return how many there were."""
    if not file.has("negatives"):
        return 0
    return file.execute("DELETE FROM negatives WHERE identity = ?", (spelling(identity),))


def may_be_of(file: GalleryTables, names: Sequence[str], sources: Collection[str]) -> list[int]:
    """Return the row numbers of other people's negatives that show, or may show, a person whose pictures are still enrolled.

    A negative shows them if it comes from their tracks. It may show them if, among all enrolled people but the one it was
    marked against, they resemble it most, and more than one in twenty strangers would by chance (see
    ``engine.verify.open_set``). Nothing is found for embedders that were not measured, or for vectors of the wrong length.

    Args:
        file: of the gallery.
        names: the person's names.
        sources: the person's tracks.

    Raises:
        GalleryError: it cannot be read.
    """
    if not file.has("negatives"):
        return []
    found = {number for source in sources for (number,) in file.rows("SELECT id FROM negatives WHERE source = ?", (source,))}
    for name in {spelling(name) for name in names}:
        for (sha256,) in file.rows("SELECT DISTINCT embedder_sha256 FROM pictures WHERE identity = ?", (name,)):
            measured = open_set_of(sha256)
            if measured is not None:
                found |= _alike(file, name, sha256, measured)
    return sorted(found)


def _alike(file: GalleryTables, name: str, sha256: str, measured: OpenSet) -> set[int]:
    length = 4 * measured.crowd.shape[1]
    of_others = "SELECT id, identity, embedding FROM negatives WHERE embedder_sha256 = ? AND identity <> ?"
    negatives = [row for row in file.rows(of_others, (sha256, name)) if len(row[2]) == length]
    rows = file.rows("SELECT identity, embedding FROM pictures WHERE embedder_sha256 = ?", (sha256,))
    pictures = [row for row in rows if len(row[1]) == length]
    if not negatives or not pictures:
        return set()
    names = np.array([who for who, _ in pictures])
    matrix = np.stack([np.frombuffer(blob, "<f4") for _, blob in pictures])
    crowding, found = measured.crowding(matrix), set()
    for number, who, blob in negatives:
        alike = measured.resemblance(np.frombuffer(blob, "<f4"), matrix, crowding)
        alike[names == who] = -np.inf
        first = int(alike.argmax())
        if names[first] == name and alike[first] >= measured.stranger_limit(_ONE_IN_TWENTY):
            found.add(int(number))
    return found


def forget(file: GalleryTables, numbers: Iterable[int]) -> None:
    """Delete some vectors, see ``may_be_of``, within a transaction."""
    for number in numbers:
        file.execute("DELETE FROM negatives WHERE id = ?", (number,))


def rename_negatives(file: GalleryTables, identity: str, new: str) -> None:
    """Move a person's negatives to another name, within a transaction."""
    if file.has("negatives"):
        file.execute(
            "UPDATE negatives SET identity = ? WHERE identity = ? AND NOT EXISTS (SELECT 1 FROM negatives AS other"
            " WHERE other.identity = ? AND other.embedder_sha256 = negatives.embedder_sha256"
            " AND other.source = negatives.source AND other.embedding = negatives.embedding)",
            (spelling(new), spelling(identity), spelling(new)),
        )
        if spelling(new) != spelling(identity):
            remove_negatives(file, identity)


class Denials:
    """Tells which names a face cannot get.

    Args:
        people: by name, their pictures (N, length) and their negatives (M, length); at least one of each, all of length 1.
    """

    def __init__(self, people: Mapping[str, tuple[Float32, Float32]]) -> None:
        self._names = list(people)
        if self._names:
            own, others = zip(*people.values(), strict=True)
            self._own, self._others = np.concatenate(own), np.concatenate(others)
            self._own_starts = np.cumsum([0, *map(len, own[:-1])])
            self._other_starts = np.cumsum([0, *map(len, others[:-1])])

    def of(self, vector: Float32) -> frozenset[str]:
        """Return the people to whose negatives a face is at least as similar as to their pictures.

        Args:
            vector: (length,) of length 1.
        """
        if not self._names:
            return frozenset()
        own = np.maximum.reduceat(np.clip(self._own @ vector, -1.0, 1.0), self._own_starts)
        others = np.maximum.reduceat(self._others @ vector, self._other_starts)
        return frozenset(self._names[place] for place in np.flatnonzero(others >= own))
