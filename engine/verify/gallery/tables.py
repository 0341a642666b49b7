"""The interface of a gallery's database, so that the rules are written only once, in SQL that every kind understands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

Table = Literal["pictures", "quarantined", "negatives"]


class Mark(NamedTuple):
    """A position in the log of changes."""

    number: int
    word: bytes
    """A random word, which differs in another history of the file."""


class GalleryTables(Protocol):
    """The tables of one gallery. Every method raises ``GalleryError``.

    Statements have ``?`` where values go. A vector is bytes: float32, little-endian.
    """

    @property
    def where(self) -> str:
        """Name of the gallery in messages, without a password."""
        ...

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; return how many rows it changed."""
        ...

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, as many at a time as suits the database."""
        ...

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all of its rows."""
        ...

    def each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that may be too many to hold; inside ``reading``, one query at a time."""
        ...

    def mark(self) -> Mark | None:
        """Return the current position in the log; None: there is no log, and followers read everything."""
        ...

    def touched(self, mark: Mark) -> Mapping[Table, Collection[int]] | None:
        """Return the numbers of rows of ``pictures`` and ``negatives`` that were changed or deleted since a mark; None: no
        longer known.
        """
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Read a consistent state within the block."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Execute all statements of the block, or none; one writer at a time, waiting for others."""
        ...

    def has(self, table: Table) -> bool:
        """Whether a table exists; one that was never needed may be missing."""
        ...

    def make(self, table: Table) -> None:
        """Create a table if it is missing; within ``writing``."""
        ...

    def state(self) -> tuple[str, int]:
        """Return the epoch and the number of changes; the first thing to ask for inside ``reading``."""
        ...

    def wipe(self) -> None:
        """Overwrite deleted data, as far as the database can; outside of a transaction."""
        ...

    def close(self) -> None:
        """Close the database; no other method may be called afterwards."""
        ...
