"""One line of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from engine.contracts.hash_chain import decode

Outcome = Literal["done", "refused", "failed"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody did something."""

    number: int
    """Counts from 0."""
    at: str
    """UTC, ISO 8601, with microseconds."""
    who: str
    """As the caller knows them: a token's name, a user of the machine."""
    did: str
    """A verb, as ``enrol``."""
    on: str = ""
    """A thing, as the name of a stream; never a person."""
    people: tuple[str, ...] = ()
    """Pseudonyms of the persons it was done to, see ``people.py``."""
    outcome: Outcome = "done"
    detail: str = ""
    """A sentence; persons in it stand as ``person:PSEUDONYM``."""
    before: str
    """SHA-256 of the line before, with its line break."""


def read_entries(path: Path) -> Iterator[Entry]:
    """Yield the entries that can be read, in their order; whether they are all there is for ``verify`` to say.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        for line in file:
            if (entry := decode(line, Entry)) is not None:
                yield entry
