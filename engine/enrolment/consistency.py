"""Do the pictures of a gallery go with each other, by the rules of today's enrolment? As if each came after all the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.enrolment.likeness import doubt_of
from engine.verify.embedder import Embedder
from engine.verify.gallery.pictures import by_number
from engine.verify.gallery.reading import GalleryReading
from engine.verify.gallery.records import Kept
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.stored import StoredGallery

_TOGETHER = 200
"""Pictures that are compared with all in one product: of 100,000 it takes 80 MB."""


def inconsistent(gallery: StoredGallery, embedder: Embedder) -> list[Kept]:
    """Return the pictures that would be set apart if they were enrolled now, with the reason as their ``doubt``; by name, the
    earlier first.

    Only what vectors show is looked at: the pictures themselves are not kept.

    Args:
        gallery: is not changed.
        embedder: vectors of others are left out.

    Raises:
        GalleryError: it cannot be read.
    """
    with gallery.tables.reading():
        people = GalleryReading(embedder.sha256).read_within(gallery.tables)
        kept = by_number(gallery.tables, embedder.sha256)
    numbers = np.concatenate([leaf.numbers for leaf in people.leaves]).tolist()
    found = sorted((people.names[row], numbers[row], doubt) for row, doubt in _doubts(people, embedder))
    return [kept[number]._replace(doubt=doubt) for _, number, doubt in found]


def _doubts(people: Snapshot, embedder: Embedder) -> Iterator[tuple[int, str]]:
    """Yield the rows that something speaks against, and what."""
    persons, matrix = people.persons, people.matrix
    of = np.repeat(np.arange(len(persons.names)), persons.counts)
    for first in range(0, people.pictures, _TOGETHER):
        rows = np.arange(first, min(first + _TOGETHER, people.pictures))
        here, whose = np.arange(len(rows)), of[rows]
        cosines = np.clip(matrix[rows] @ matrix.T, -1.0, 1.0)
        cosines[here, rows] = -np.inf
        best = np.maximum.reduceat(cosines, persons.starts, axis=1)
        own = best[here, whose]
        best[here, whose] = -np.inf
        others = best.argmax(axis=1)
        for row, mine, other, cosine in zip(rows, own, others, best[here, others], strict=True):
            name, alike = persons.names[of[row]], {persons.names[other]: float(cosine)} if np.isfinite(cosine) else {}
            if doubt := doubt_of(name, float(mine) if np.isfinite(mine) else None, alike, embedder):
                yield int(row), doubt
