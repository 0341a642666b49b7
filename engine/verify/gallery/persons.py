"""The people of a gallery as rows of a matrix: finds each person's best row, and the best people, without a loop over names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32

_Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Persons:
    """Which rows belong to whom."""

    names: list[str]
    """Names, each once, sorted."""
    starts: _Rows
    """(P,) index in ``order`` at which the rows of each person begin."""
    order: _Rows | None
    """(N,) all rows, grouped by person; None: the rows are already grouped."""
    count: int
    """N."""

    def best(self, values: Float32) -> Float32:
        """Return the highest value of each person's rows: (P,).

        Args:
            values: (N,), one for each row.
        """
        ordered = values if self.order is None else values[self.order]
        return ordered if len(self.starts) == self.count else np.asarray(np.maximum.reduceat(ordered, self.starts), np.float32)

    @cached_property
    def counts(self) -> _Rows:
        """(P,) number of rows of each person."""
        return np.diff(self.starts, append=self.count)

    def place(self, name: str) -> int | None:
        """Return the index of a person in ``names``; None if there is nobody of that name."""
        place = bisect_left(self.names, name)
        return place if place < len(self.names) and self.names[place] == name else None

    def rows(self, person: int) -> _Rows:
        """Return the rows of the person at an index of ``names``."""
        start, end = self.starts[person], self.starts[person + 1] if person + 1 < len(self.starts) else self.count
        return np.arange(start, end) if self.order is None else self.order[start:end]


def persons_of(names: Sequence[str]) -> Persons:
    """Group rows by person.

    Args:
        names: the person of each row.
    """
    order = None
    if any(one > other for one, other in pairwise(names)):
        order = np.array(sorted(range(len(names)), key=names.__getitem__), np.intp)
        names = [names[row] for row in order.tolist()]
    starts = [row for row, name in enumerate(names) if not row or name != names[row - 1]]
    return Persons([names[row] for row in starts], np.array(starts, np.intp), order, len(names))


def highest(values: Float32, limit: int) -> list[int]:
    """Return the indices of the ``limit`` highest values, highest first, as a stable sort of all values would.

    Args:
        values: (P,).
        limit: at least 1.
    """
    places = np.arange(len(values))
    if len(values) > limit:
        places = np.flatnonzero(values >= np.partition(values, -limit)[-limit])
    order = np.argsort(-values[places], kind="stable")[:limit]
    return [int(place) for place in places[order]]
