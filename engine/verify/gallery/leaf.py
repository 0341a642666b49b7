"""A gallery consists of leaves: runs of people with consecutive names.

A change rebuilds only the leaf that it is in. A leaf starts at a person whose hashed name says so, one person in ``PEOPLE``. So
the leaves depend only on who is enrolled, not on the order of changes: a reader that applied the changes has the same leaves as
one that read everything.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.verify.gallery.digest import leaf_digest
from engine.verify.gallery.nearest import sketch_of
from engine.verify.gallery.object_cache import ObjectCache
from engine.verify.gallery.persons import Persons, persons_of
from engine.verify.open_set import OpenSet, crowding_of

PEOPLE = 2048
"""Mean number of people in a leaf. With fewer a change costs less, and a comparison more."""

_LENGTH_TOLERANCE = 0.01


class Row(NamedTuple):
    """A vector of a person; rows sort in the order of these fields."""

    name: str
    vector: bytes
    """float32, little-endian; empty if it is another embedder's."""
    number: int
    """Number of the row in its table."""


class Rows(NamedTuple):
    """Rows of some people; each list in order."""

    pictures: Iterable[Row] = ()
    negatives: Sequence[Row] = ()
    others: Sequence[Row] = ()
    """Pictures of other embedders."""


class Gone(NamedTuple):
    """Numbers of rows that were changed or deleted."""

    pictures: Collection[int]
    negatives: Collection[int]


@dataclass(frozen=True, eq=False)
class Leaf:
    """Some people, for one embedder."""

    first: str
    """The name that it starts with; empty: the first leaf."""
    names: list[str]
    """The identity of each row of ``matrix``, sorted."""
    matrix: Float32
    """(N, length), each row of length 1."""
    numbers: NDArray[np.int64]
    """(N,) numbers of the rows in their table."""
    negative_rows: Sequence[Row] = ()
    others: Sequence[Row] = ()
    length: int = 0
    """Length of the gallery's vectors; 0: the gallery is empty."""
    _crowdings: ObjectCache[Float32] = field(default_factory=ObjectCache, repr=False)
    """Crowding of each row, by crowd."""
    _sketches: ObjectCache[Float32] = field(default_factory=ObjectCache, repr=False)
    _whole: tuple[Leaf, NDArray[np.bool_]] | None = field(default=None, repr=False)
    """The leaf that this is a part of, and the rows."""

    @cached_property
    def persons(self) -> Persons:
        """Which rows belong to whom."""
        return persons_of(self.names)

    @cached_property
    def person_of(self) -> NDArray[np.intp]:
        """(N,) index of each row's person in ``persons.names``."""
        return np.repeat(np.arange(len(self.persons.names)), self.persons.counts)

    @cached_property
    def negatives(self) -> Mapping[str, Float32]:
        """By identity, (M, length): faces that are not of this person. Vectors of another length are left out."""
        found: dict[str, list[Float32]] = {}
        for row in self.negative_rows:
            if self.length and len(row.vector) == 4 * self.length:
                found.setdefault(row.name, []).append(np.frombuffer(row.vector, "<f4").astype(np.float32))
        return {name: np.stack(vectors) for name, vectors in found.items()}

    @cached_property
    def other_embedder(self) -> list[str]:
        """Identities that were enrolled with other embedders only, sorted."""
        return sorted({row.name for row in self.others}.difference(self.names))

    @cached_property
    def digest(self) -> bytes:
        """Digest of everything that faces are compared with."""
        return leaf_digest(self.names, self.matrix, self.negatives)

    def crowding(self, crowd: Float32) -> Float32:
        """Return ``crowding_of`` the rows in a crowd, (N,), computed once.

        Args:
            crowd: (K, length); cached by identity.
        """
        if (values := self._crowdings.of(crowd)) is not None:
            return values
        values = crowding_of(self.matrix, crowd) if self._whole is None else self._whole[0].crowding(crowd)[self._whole[1]]
        return self._crowdings.keep(crowd, values)

    def sketch(self, measured: OpenSet) -> Float32 | None:
        """Return ``sketch_of`` the rows; None: not made yet.

        Args:
            measured: cached by identity.
        """
        return self._sketches.of(measured)

    def make_sketch(self, measured: OpenSet, room: Float32) -> None:
        """Make ``sketch``.

        Args:
            measured: see ``sketch``.
            room: (columns, N) memory, which is filled and kept.
        """
        if self._whole is not None and (whole := self._whole[0].sketch(measured)) is not None:
            room[:] = whole.T[:, self._whole[1]]
        else:
            room[:] = sketch_of(self.matrix, self.crowding(measured.crowd), measured.directions).T
        self._sketches.keep(measured, room.T)

    def without(self, people: Collection[str]) -> Leaf:
        """Return the leaf without some people; itself if none of them is in it."""
        if not any(self.persons.place(name) is not None for name in people):
            return self
        rows = np.fromiter((name not in people for name in self.names), np.bool_, len(self.names))
        names = [name for name in self.names if name not in people]
        kept = self.matrix[rows], self.numbers[rows], self.negative_rows, self.others, self.length
        return Leaf(self.first, names, *kept, _whole=(self, rows))

    def has(self, gone: Gone) -> bool:
        """Whether any of these rows is in it."""
        others = any(row.number in gone.pictures for row in self.others)
        negatives = any(row.number in gone.negatives for row in self.negative_rows)
        return others or negatives or bool(gone.pictures and np.isin(self.numbers, list(gone.pictures)).any())

    def rows(self) -> Rows:
        """Return the rows that it was made from."""
        pictures = map(Row, self.names, (vector.astype("<f4").tobytes() for vector in self.matrix), self.numbers.tolist())
        return Rows(list(pictures), self.negative_rows, self.others)


def leaves_of(rows: Rows, first: str = "", length: int = 0) -> Iterator[Leaf]:
    """Yield the leaves of some rows one after the other; of ``rows.pictures`` only the next leaf is held in memory.

    Args:
        rows: sorted by name; ``negatives`` and ``others`` are sequences in order.
        first: name of the first leaf.
        length: of the gallery's vectors; 0: that of the first picture.
    """
    mine: list[Row] = []
    done, name = (0, 0), None
    for row in rows.pictures:
        length = length or len(row.vector) // 4
        if row.name != name:
            name = row.name
            if name != first and _begins_leaf(name):
                ends = bisect_left(rows.negatives, (name,)), bisect_left(rows.others, (name,))
                yield _leaf(first, mine, rows.negatives[done[0] : ends[0]], rows.others[done[1] : ends[1]], length)
                first, mine, done = name, [], ends
        mine.append(row)
    yield _leaf(first, mine, rows.negatives[done[0] :], rows.others[done[1] :], length)


def _begins_leaf(name: str) -> bool:
    """Whether a leaf starts at a person of this name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % PEOPLE == 0


def _leaf(first: str, pictures: list[Row], negatives: Sequence[Row], others: Sequence[Row], length: int) -> Leaf:
    pictures.sort()
    if any(len(row.vector) != 4 * length for row in pictures) or (pictures and not length):
        raise ValueError("vectors of several lengths")
    matrix = np.frombuffer(b"".join(row.vector for row in pictures), "<f4").reshape(len(pictures), length).astype(np.float32)
    if not np.all(np.abs(np.linalg.norm(matrix, axis=1) - 1) < _LENGTH_TOLERANCE):  # also false if a value is NaN
        raise ValueError("vectors that are not of length 1")
    numbers = np.array([row.number for row in pictures], np.int64)
    return Leaf(first, [row.name for row in pictures], matrix, numbers, negatives, others, length)


def changed(leaves: Sequence[Leaf], gone: Gone, fresh: Rows) -> tuple[Leaf, ...] | None:
    """Return the leaves of a gallery after a change; untouched leaves are the same objects. None: all leaves have to be
    rebuilt.

    Args:
        leaves: before the change.
        gone: rows that were deleted, or are replaced by ``fresh``; not all need exist.
        fresh: new and changed rows.

    Raises:
        ValueError: vectors are of several lengths.
    """
    length, firsts = leaves[0].length, [leaf.first for leaf in leaves]
    new: dict[int, list[list[Row]]] = {}
    for kind, rows in enumerate(fresh):
        for row in rows:
            new.setdefault(bisect_right(firsts, row.name) - 1, [[], [], []])[kind].append(row)
    todo = {*new, *(place for place, leaf in enumerate(leaves) if leaf.has(gone))}
    found = list(leaves)
    while todo:
        first = end = max(todo) + 1
        mine: tuple[list[Row], ...] = ([], [], [])
        # A leaf that no longer starts at its first person belongs to the leaf before it.
        while first == end or first - 1 in todo or (first and not _begins(mine[0], firsts[first])):
            first -= 1
            came: Sequence[list[Row]] = new.get(first, ([], [], []))
            mine = tuple(
                sorted([*there, *fresh_ones, *later])
                for there, fresh_ones, later in zip(_left(leaves[first], gone), came, mine, strict=True)
            )
            todo.discard(first)
        found[first:end] = leaves_of(Rows(*mine), firsts[first], length)
    has_people = any(leaf.names for leaf in found)
    return tuple(found) if has_people == bool(length) else None


def _begins(pictures: Sequence[Row], name: str) -> bool:
    return bool(pictures) and pictures[0].name == name


def _left(leaf: Leaf, gone: Gone) -> tuple[list[Row], list[Row], list[Row]]:
    rows = leaf.rows()
    return (
        [row for row in rows.pictures if row.number not in gone.pictures],
        [row for row in rows.negatives if row.number not in gone.negatives],
        [row for row in rows.others if row.number not in gone.pictures],
    )
