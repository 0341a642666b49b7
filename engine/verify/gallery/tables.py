"""What the rules of a gallery need of the database that keeps it: they are written once, in SQL that every kind knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

Table = Literal["pictures", "quarantined", "negatives"]


class Mark(NamedTuple):
    """How far the log of what has changed has come."""

    number: int
    word: bytes
    """At random: another history has other ones."""


class GalleryTables(Protocol):
    """The tables of one gallery. Every method raises ``GalleryError``.

    Statements have ``?`` where values go. A vector is bytes: float32, little-endian.
    """

    @property
    def where(self) -> str:
        """What messages call the gallery; no password is in it."""
        ...

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; return how many rows it changed."""
        ...

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows; as many at a time as is good for the database."""
        ...

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all of its rows."""
        ...

    def each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that may be too many to hold; inside ``reading``, one query at a time."""
        ...

    def mark(self) -> Mark | None:
        """Return how far the log has come; None: there is none, and who follows reads the whole."""
        ...

    def touched(self, mark: Mark) -> Mapping[Table, Collection[int]] | None:
        """Return the numbers of the rows of ``pictures`` and ``negatives`` that were changed since a mark, and may be gone;
        None: it is not told any more."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """All that is read inside is of one moment."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """All statements inside, or none; one writer at a time, others are waited for."""
        ...

    def has(self, table: Table) -> bool:
        """Whether there is such a table; one that was never needed may be missing."""
        ...

    def make(self, table: Table) -> None:
        """Make it where it is missing; inside ``writing``."""
        ...

    def state(self) -> tuple[str, int]:
        """Return the epoch and the number of changes; the first thing to ask for inside ``reading``."""
        ...

    def wipe(self) -> None:
        """Overwrite what was deleted, as far as the database can; outside of a transaction."""
        ...

    def close(self) -> None:
        """Free it; no other method may be called after it."""
        ...
