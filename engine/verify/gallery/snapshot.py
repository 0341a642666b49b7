"""The gallery at one moment, as faces are compared with it."""

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
from engine.contracts.gallery_version import GalleryVersion
from engine.verify.gallery.kept import Kept
from engine.verify.gallery.leaf import Leaf, Row, Rows, leaves_of
from engine.verify.gallery.negatives import Denials
from engine.verify.gallery.persons import Persons
from engine.verify.open_set import OpenSet

_MOST_PARTS = 8
"""As faces of several people alternate, so does who is left out."""


class Stretch(NamedTuple):
    """The rows of a leaf among all, and its people."""

    leaf: Leaf
    start: int
    end: int
    person: int
    """Place of the first of its people."""


class Picked(NamedTuple):
    """Some rows."""

    matrix: Float32
    """(N, length), each row of length 1."""
    crowding: Float32
    """(N,)"""
    places: NDArray[np.intp]
    """(N,) of their people."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The gallery at one moment, for one embedder."""

    version: int
    leaves: Sequence[Leaf]
    """One at least, by name. After a change those that it did not touch are the same objects."""
    gallery: GalleryVersion | None = None
    """Exactly what this is; None where it is of no file."""
    _crowdings: Kept[Float32] = field(default_factory=Kept, repr=False)
    """Crowds, and how crowded each row is in them."""
    _sketches: Kept[list[Float32]] = field(default_factory=Kept, repr=False)
    _parts: dict[frozenset[str], Snapshot] = field(default_factory=dict, repr=False)
    """Parts of this by whom they are without, the last used last."""

    @classmethod
    def of(cls, names: Iterable[str] = (), vectors: Iterable[Float32] = (), version: int = 0) -> Self:
        """Return people who are in no store.

        Args:
            names: of each vector.
            vectors: (length,) each, of length 1.
            version: see there.
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
        """How many there are to compare with."""
        return self.stretches[-1].end if self.stretches else 0

    @property
    def people(self) -> int:
        """How many have them."""
        return self.stretches[-1].person + len(self.stretches[-1].leaf.persons.names) if self.stretches else 0

    @property
    def length(self) -> int:
        """Of the vectors; 0: there are none."""
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
        """Who has which rows; of a large gallery it takes a while."""
        of = [(one.leaf.persons, one.start) for one in self.stretches]
        starts = np.concatenate([np.zeros(0, np.intp), *(persons.starts + start for persons, start in of)])
        return Persons([name for persons, _ in of for name in persons.names], starts, None, self.pictures)

    def place(self, name: str) -> int | None:
        """Return the place of a person among all by name, None where there is nobody of that name."""
        at = bisect_right(self.stretches, name, key=lambda one: one.leaf.first) - 1
        within = self.stretches[at].leaf.persons.place(name) if at >= 0 else None
        return None if within is None else self.stretches[at].person + within

    def name(self, place: int) -> str:
        """Return the name of the person at a place."""
        stretch = self._stretch_of(place)
        return stretch.leaf.persons.names[place - stretch.person]

    def vectors(self, place: int) -> Float32:
        """Return the vectors of the person at a place: (M, length)."""
        stretch = self._stretch_of(place)
        return stretch.leaf.matrix[stretch.leaf.persons.rows(place - stretch.person)]

    def pictures_of(self, place: int, crowd: Float32) -> Picked:
        """Return the rows of the person at a place, as ``picked``."""
        stretch = self._stretch_of(place)
        rows = stretch.leaf.persons.rows(place - stretch.person)
        return Picked(stretch.leaf.matrix[rows], stretch.leaf.crowding(crowd)[rows], np.full(len(rows), place))

    def _stretch_of(self, place: int) -> Stretch:
        return self.stretches[bisect_right(self.stretches, place, key=lambda one: one.person) - 1]

    def picked(self, rows: NDArray[np.intp], crowd: Float32) -> Picked:
        """Return some rows.

        Args:
            rows: one at least, rising.
            crowd: in which it is asked how crowded they are.
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
            crowd: (K, length); recognised as the same object.
        """
        if (values := self._crowdings.of(crowd)) is not None:
            return values
        values = np.concatenate([np.zeros(0, np.float32), *(one.leaf.crowding(crowd) for one in self.stretches)])
        return self._crowdings.keep(crowd, values)

    def sketches(self, measured: OpenSet) -> list[Float32]:
        """Return the sketches of the leaves of ``stretches``, see ``engine.verify.gallery.nearest``.

        Args:
            measured: recognised as the same object.
        """
        if (kept := self._sketches.of(measured)) is not None:
            return kept
        missing = [one.leaf for one in self.stretches if one.leaf.sketch(measured) is None]
        sizes = [(len(measured.directions) + 2) * len(leaf.names) for leaf in missing]
        # In one piece of memory: many small ones take a quarter longer to go through.
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
        """Return the people whose name a face cannot get, see ``engine.verify.gallery.negatives``.

        Args:
            vector: (length,) of length 1.
        """
        return self._denials.of(vector)

    def without(self, people: frozenset[str]) -> Snapshot:
        """Return the same as if these people were not enrolled; the last few are remembered."""
        part = self._parts.pop(people, None)
        if part is None:
            leaves = [leaf.without(people) for leaf in self.leaves]
            part = replace(self, leaves=leaves, _crowdings=Kept(), _sketches=Kept(), _parts={})
        self._parts[people] = part
        if len(self._parts) > _MOST_PARTS:
            self._parts.pop(next(iter(self._parts)))
        return part
