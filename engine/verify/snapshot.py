"""The gallery at one moment, as faces are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.contracts.frames import Float32


@dataclass(frozen=True, slots=True, eq=False)
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

    def without(self, people: frozenset[str]) -> Snapshot:
        """Return the same as if these people were not enrolled."""
        rows = [row for row, name in enumerate(self.names) if name not in people]
        return replace(self, names=[self.names[row] for row in rows], matrix=self.matrix[rows])
