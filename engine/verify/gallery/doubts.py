"""Why pictures were in question when they were enrolled all the same, or set apart: sentences that may name people."""

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
"""As ``engine.enrolment.likeness`` writes them, with a figure in brackets behind each name."""
SOMEBODY_REMOVED = "somebody removed"


def whom_it_is_like(doubt: str) -> str:
    """Return the person whom a picture looks like, or more like than the one that it was given for; empty: nobody."""
    found = next(filter(None, (sentence.fullmatch(doubt) for sentence in _SENTENCES)), None)
    return found[1] if found and "unlike" not in doubt[: found.start(1)] else ""


def renamed_in(doubt: str, name: str, instead: str) -> str:
    """Return a doubt in which a person has another name. Only whole names count: "Ann" is not in "Ann Lee"."""
    name = spelling(name)
    found = next(filter(None, (sentence.fullmatch(doubt) for sentence in _SENTENCES)), None)
    for place in range(found.re.groups if found else 0, 0, -1):  # from the end: the places before stay as they are
        if found and found[place] == name:
            doubt = doubt[: found.start(place)] + instead + doubt[found.end(place) :]
    return doubt


def rename_in_doubts(file: GalleryTables, name: str, instead: str = SOMEBODY_REMOVED) -> None:
    """Give a person another name, or none, in what is said of pictures; call it within a transaction.

    Raises:
        GalleryError: the file cannot be read or written.
    """
    tables: tuple[Table, ...] = ("pictures", "quarantined")
    for table in filter(file.has, tables):
        for number, doubt in file.rows(f"SELECT id, doubt FROM {table} WHERE doubt <> ''"):
            if (now := renamed_in(str(doubt), name, instead)) != doubt:
                file.execute(f"UPDATE {table} SET doubt = ? WHERE id = ?", (now, number))


def lookalikes(file: GalleryTables, names: Sequence[str]) -> list[int]:
    """Return the numbers of what was set apart for others because it is like a person, who has these names.

    Raises:
        GalleryError: the file cannot be read.
    """
    if not file.has("quarantined"):
        return []
    theirs = set(map(spelling, names))
    doubts = file.rows("SELECT id, identity, doubt FROM quarantined")
    return [int(number) for number, who, doubt in doubts if who not in theirs and whom_it_is_like(str(doubt)) in theirs]


def forget_lookalikes(file: GalleryTables, names: Sequence[str]) -> int:
    """Forget them, within a transaction; return how many there were.

    Raises:
        GalleryError: the file cannot be read or written.
    """
    gone = lookalikes(file, names)
    for number in gone:
        file.execute("DELETE FROM quarantined WHERE id = ?", (number,))
    return len(gone)
