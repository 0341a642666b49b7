"""Why pictures were doubtful when they were enrolled or quarantined: sentences that may contain names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.verify.gallery.person_name import spelling
from engine.verify.gallery.tables import GalleryTables, Table

_OTHERS = "other pictures of"
_SENTENCES = tuple(
    re.compile(rf"{words} \([^()]*\)", re.DOTALL)
    for words in (
        rf"looks more like (.+) \([^()]*\) than like the {_OTHERS} (.+)",
        rf"looks unlike the {_OTHERS} (.+)",
        "looks like (.+)",
    )
)
"""As written by ``engine.enrolment.likeness``, with a figure in brackets after each name."""
SOMEBODY_REMOVED = "somebody removed"
JOINED = "looked like somebody who has been joined with this person since"
"""Replaces a doubt that would say that a picture looks like the very person whose it is."""


def whom_it_is_like(doubt: str) -> str:
    """Return the person whom a picture resembles, or resembles more than the person it was given for; empty: nobody."""
    found = next(filter(None, (sentence.fullmatch(doubt) for sentence in _SENTENCES)), None)
    return found[1] if found and "unlike" not in doubt[: found.start(1)] else ""


def renamed_in(doubt: str, name: str, instead: str) -> str:
    """Return a doubt with a person's name replaced. Only whole names match: "Ann" is not found in "Ann Lee"."""
    name = spelling(name)
    found = next(filter(None, (sentence.fullmatch(doubt) for sentence in _SENTENCES)), None)
    for place in range(found.re.groups if found else 0, 0, -1):  # from the end, so that earlier positions stay valid
        if found and found[place] == name:
            doubt = doubt[: found.start(place)] + instead + doubt[found.end(place) :]
    return doubt


def rename_in_doubts(file: GalleryTables, name: str, instead: str = SOMEBODY_REMOVED) -> None:
    """Replace or remove a person's name in the doubts of all pictures; call it within a transaction, when the
    pictures themselves are renamed.

    Raises:
        GalleryError: the file cannot be read or written.
    """
    tables: tuple[Table, ...] = ("pictures", "quarantined")
    for table in filter(file.has, tables):
        for number, whose, doubt in file.rows(f"SELECT id, identity, doubt FROM {table} WHERE doubt <> ''"):
            if (now := renamed_in(str(doubt), name, instead)) != doubt:
                now = JOINED if whom_it_is_like(now) == whose else now
                file.execute(f"UPDATE {table} SET doubt = ? WHERE id = ?", (now, number))


def lookalikes(file: GalleryTables, names: Sequence[str]) -> list[int]:
    """Return the row numbers of pictures that were quarantined for others because they resemble a person with these names.

    Raises:
        GalleryError: the file cannot be read.
    """
    if not file.has("quarantined"):
        return []
    theirs = set(map(spelling, names))
    doubts = file.rows("SELECT id, identity, doubt FROM quarantined")
    return [int(number) for number, who, doubt in doubts if who not in theirs and whom_it_is_like(str(doubt)) in theirs]


def forget_lookalikes(file: GalleryTables, names: Sequence[str]) -> int:
    """Delete those pictures, within a transaction; return how many there were.

    Raises:
        GalleryError: the file cannot be read or written.
    """
    gone = lookalikes(file, names)
    for number in gone:
        file.execute("DELETE FROM quarantined WHERE id = ?", (number,))
    return len(gone)
