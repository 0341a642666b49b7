"""The gallery at one moment, as faces are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.contracts.gallery_version import GalleryVersion
from engine.verify.negatives import Denials
from engine.verify.open_set import crowding_of
from engine.verify.persons import Persons, persons_of

_MOST_PARTS = 8
"""As faces of several people alternate, so does who is left out; each part takes as much memory as the whole."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The gallery at one moment, for one embedder."""

    version: int
    names: list[str]
    """The identity of each row of ``matrix``."""
    matrix: Float32
    """(N, length), each row of length 1."""
    other_embedder: list[str]
    """Identities that were enrolled with other embedders only: they cannot be compared."""
    negatives: Mapping[str, Float32] = field(default_factory=dict)
    """By identity, (M, length): faces that are not of this person."""
    gallery: GalleryVersion | None = None
    """Exactly what this is; None where it is of no file."""
    _crowdings: list[tuple[Float32, Float32]] = field(default_factory=list, repr=False)
    """Crowds, and how crowded each row is in them."""
    _whole: tuple[Snapshot, NDArray[np.bool_]] | None = field(default=None, repr=False)
    """Of what this is a part, and of which rows."""
    _parts: dict[frozenset[str], Snapshot] = field(default_factory=dict, repr=False)
    """Parts of this by whom they are without, the last used last."""

    @cached_property
    def persons(self) -> Persons:
        """Who has which rows."""
        return persons_of(self.names)

    @cached_property
    def _denials(self) -> Denials:
        return Denials(self.persons, self.matrix, self.negatives)

    def denied(self, vector: Float32) -> frozenset[str]:
        """Return the people whose name a face cannot get, see ``engine.verify.negatives``.

        Args:
            vector: (length,) of length 1.
        """
        return self._denials.of(vector)

    def crowding(self, crowd: Float32) -> Float32:
        """Return ``crowding_of`` the rows in a crowd: (N,); computed once.

        Args:
            crowd: (K, length); recognised as the same object.
        """
        for known, values in self._crowdings:
            if known is crowd:
                return values
        values = crowding_of(self.matrix, crowd) if self._whole is None else self._whole[0].crowding(crowd)[self._whole[1]]
        self._crowdings.append((crowd, values))
        return values

    def without(self, people: frozenset[str]) -> Snapshot:
        """Return the same as if these people were not enrolled; the last few are remembered."""
        part = self._parts.pop(people, None)
        if part is None:
            rows = np.fromiter((name not in people for name in self.names), np.bool_, len(self.names))
            names = list(compress(self.names, rows))
            part = replace(self, names=names, matrix=self.matrix[rows], _crowdings=[], _whole=(self, rows), _parts={})
        self._parts[people] = part
        if len(self._parts) > _MOST_PARTS:
            self._parts.pop(next(iter(self._parts)))
        return part
