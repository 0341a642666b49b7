"""The gallery at one moment, in the form in which faces are compared with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.contracts.gallery import GalleryVersion
from engine.verify.gallery.leaf import Leaf, Row, Rows, leaves_of
from engine.verify.gallery.negatives import Denials
from engine.verify.gallery.object_cache import ObjectCache
from engine.verify.gallery.persons import Persons
from engine.verify.open_set import OpenSet

_MOST_PARTS = 8
"""Number of reduced snapshots kept: faces of several people alternate, and with them the people left out."""


class Stretch(NamedTuple):
    """The position of a leaf's rows and people among all."""

    leaf: Leaf
    start: int
    end: int
    person: int
    """Index of its first person."""


class Picked(NamedTuple):
    """A selection of rows."""

    matrix: Float32
    """(N, length), each row of length 1."""
    crowding: Float32
    """(N,) crowding of each row."""
    places: NDArray[np.intp]
    """(N,) index of each row's person."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The gallery at one moment, for one embedder."""

    version: int
    leaves: Sequence[Leaf]
    """One or more, by name. Leaves that a change does not touch stay the same objects."""
    gallery: GalleryVersion | None = None
    """Which state of which gallery this is; None if it is from no store."""
    _crowdings: ObjectCache[Float32] = field(default_factory=ObjectCache, repr=False)
    """Crowding of each row, by crowd."""
    _sketches: ObjectCache[list[Float32]] = field(default_factory=ObjectCache, repr=False)
    _parts: dict[frozenset[str], Snapshot] = field(default_factory=dict, repr=False)
    """Reduced snapshots by the people left out, the last used last."""

    @classmethod
    def of(cls, names: Iterable[str] = (), vectors: Iterable[Float32] = (), version: int = 0) -> Self:
        """Make a snapshot of people who are in no store.

        Args:
            names: the person of each vector.
            vectors: (length,) each, of length 1.
            version: number of changes of the gallery.
        """
        given = enumerate(zip(names, vectors, strict=True))
        rows = sorted(Row(name, np.asarray(vector, "<f4").tobytes(), number) for number, (name, vector) in given)
        return cls(version, tuple(leaves_of(Rows(rows))))

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The leaves that have people, in order."""
        found, row, person = list[Stretch](), 0, 0
        for leaf in self.leaves:
            if leaf.names:
                found.append(Stretch(leaf, row, row + len(leaf.names), person))
                row, person = row + len(leaf.names), person + len(leaf.persons.names)
        return found

    @property
    def pictures(self) -> int:
        """Number of pictures to compare with."""
        return self.stretches[-1].end if self.stretches else 0

    @property
    def people(self) -> int:
        """Number of people who have pictures."""
        return self.stretches[-1].person + len(self.stretches[-1].leaf.persons.names) if self.stretches else 0

    @property
    def length(self) -> int:
        """Length of the vectors; 0: there are none."""
        return self.leaves[0].length

    @cached_property
    def names(self) -> list[str]:
        """The identity of each row of ``matrix``, sorted."""
        return [name for leaf in self.leaves for name in leaf.names]

    @cached_property
    def matrix(self) -> Float32:
        """(N, length), each row of length 1: a copy of all."""
        return np.concatenate([leaf.matrix for leaf in self.leaves])

    @cached_property
    def negatives(self) -> Mapping[str, Float32]:
        """By identity, (M, length): faces that are not of this person."""
        return dict(chain.from_iterable(leaf.negatives.items() for leaf in self.leaves))

    @cached_property
    def other_embedder(self) -> list[str]:
        """Identities that were enrolled with other embedders only: they cannot be compared."""
        return [name for leaf in self.leaves for name in leaf.other_embedder]

    @cached_property
    def persons(self) -> Persons:
        """Which rows belong to whom; takes a while for a large gallery."""
        of = [(one.leaf.persons, one.start) for one in self.stretches]
        starts = np.concatenate([np.zeros(0, np.intp), *(persons.starts + start for persons, start in of)])
        return Persons([name for persons, _ in of for name in persons.names], starts, None, self.pictures)

    def place(self, name: str) -> int | None:
        """Return the index of a person among all, by name; None if there is nobody of that name."""
        at = bisect_right(self.stretches, name, key=lambda one: one.leaf.first) - 1
        within = self.stretches[at].leaf.persons.place(name) if at >= 0 else None
        return None if within is None else self.stretches[at].person + within

    def name(self, place: int) -> str:
        """Return the name of the person at an index."""
        stretch = self._stretch_of(place)
        return stretch.leaf.persons.names[place - stretch.person]

    def vectors(self, place: int) -> Float32:
        """Return the vectors of the person at an index: (M, length)."""
        stretch = self._stretch_of(place)
        return stretch.leaf.matrix[stretch.leaf.persons.rows(place - stretch.person)]

    def pictures_of(self, place: int, crowd: Float32) -> Picked:
        """Return the rows of the person at an index, as ``picked`` does."""
        stretch = self._stretch_of(place)
        rows = stretch.leaf.persons.rows(place - stretch.person)
        return Picked(stretch.leaf.matrix[rows], stretch.leaf.crowding(crowd)[rows], np.full(len(rows), place))

    def _stretch_of(self, place: int) -> Stretch:
        return self.stretches[bisect_right(self.stretches, place, key=lambda one: one.person) - 1]

    def picked(self, rows: NDArray[np.intp], crowd: Float32) -> Picked:
        """Return some rows.

        Args:
            rows: one or more, ascending.
            crowd: (K, length), in which their crowding is computed.
        """
        ends, parts = np.searchsorted(rows, [one.end for one in self.stretches]), list[Picked]()
        for one, first, last in zip(self.stretches, [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
            if first < last:
                within = rows[first:last] - one.start
                leaf, places = one.leaf, one.leaf.person_of[within] + one.person
                parts.append(Picked(leaf.matrix[within], leaf.crowding(crowd)[within], places))
        return Picked(*map(np.concatenate, zip(*parts, strict=True)))

    def crowding(self, crowd: Float32) -> Float32:
        """Return ``crowding_of`` all rows in a crowd: (N,).

        Args:
            crowd: (K, length); cached by identity.
        """
        if (values := self._crowdings.of(crowd)) is not None:
            return values
        values = np.concatenate([np.zeros(0, np.float32), *(one.leaf.crowding(crowd) for one in self.stretches)])
        return self._crowdings.keep(crowd, values)

    def sketches(self, measured: OpenSet) -> list[Float32]:
        """Return the sketches of the leaves of ``stretches``, see ``engine.verify.gallery.nearest``.

        Args:
            measured: cached by identity."""
        if (kept := self._sketches.of(measured)) is not None:
            return kept
        missing = [one.leaf for one in self.stretches if one.leaf.sketch(measured) is None]
        sizes = [(len(measured.directions) + 2) * len(leaf.names) for leaf in missing]
        # In one block of memory: many small ones take a quarter longer to read.
        room = np.split(np.empty(sum(sizes), np.float32), np.cumsum(sizes))
        for leaf, part in zip(missing, room, strict=False):
            leaf.make_sketch(measured, part.reshape(-1, len(leaf.names)))
        found = [sketch for one in self.stretches if (sketch := one.leaf.sketch(measured)) is not None]
        return self._sketches.keep(measured, found)

    def cosines(self, vector: Float32) -> Float32:
        """Return the cosine of a vector and each row: (N,).

        Args:
            vector: (length,) of length 1.
        """
        cosines = [np.vecdot(one.leaf.matrix, vector) for one in self.stretches]
        return np.concatenate([np.zeros(0, np.float32), *cosines])

    @cached_property
    def _denials(self) -> Denials:
        places = {name: place for name in sorted(self.negatives) if (place := self.place(name)) is not None}
        return Denials({name: (self.vectors(place), self.negatives[name]) for name, place in places.items()})

    def denied(self, vector: Float32) -> frozenset[str]:
        """Return the people whose names a face cannot get, see ``engine.verify.gallery.negatives``.

        Args:
            vector: (length,) of length 1.
        """
        return self._denials.of(vector)

    def without(self, people: frozenset[str]) -> Snapshot:
        """Return the gallery without these people; the last few results are cached."""
        part = self._parts.pop(people, None)
        if part is None:
            leaves = [leaf.without(people) for leaf in self.leaves]
            part = replace(self, leaves=leaves, _crowdings=ObjectCache(), _sketches=ObjectCache(), _parts={})
        self._parts[people] = part
        if len(self._parts) > _MOST_PARTS:
            self._parts.pop(next(iter(self._parts)))
        return part
