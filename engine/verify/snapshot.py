"""The gallery at one moment, as faces are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from engine.contracts.frames import Float32
from engine.contracts.gallery_version import GalleryVersion
from engine.verify.negatives import Denials
from engine.verify.open_set import crowding_of
from engine.verify.persons import Persons, persons_of


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
        values = crowding_of(self.matrix, crowd)
        self._crowdings.append((crowd, values))
        return values

    def without(self, people: frozenset[str]) -> Snapshot:
        """Return the same as if these people were not enrolled."""
        rows = [row for row, name in enumerate(self.names) if name not in people]
        crowdings = [(crowd, values[rows]) for crowd, values in self._crowdings]
        return replace(self, names=[self.names[row] for row in rows], matrix=self.matrix[rows], _crowdings=crowdings)
