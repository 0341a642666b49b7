"""Renaming a person to a name that somebody has, or a similar one: refused, or reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.errors import NameTakenError
from engine.verify.gallery.person_name import alike, shown, spelling
from engine.verify.gallery.records import Held


def check_free(pictures: Mapping[str, Held], name: str, new: str) -> None:
    """Check that a person can get a name without being joined with somebody.

    Args:
        pictures: number of pictures of each person, by name.
        name: current name of the person.
        new: the new name.

    Raises:
        NameTakenError: somebody has it.
    """
    name, new = spelling(name), spelling(new)
    if name in pictures and new in pictures:
        raise NameTakenError(
            f"{shown(new)} is in the gallery already, with {pictures[new].words}: if {shown(name)} is the same "
            "person, join them on purpose with --join, which cannot be undone; else choose another name"
        )


def same_name_words(name: str, new: str) -> str:
    """Return a sentence if the new name is the one that the person has already, however it is encoded; otherwise
    an empty one.
    """
    return f"{shown(spelling(new))} is called so already: nothing was done" if spelling(name) == spelling(new) else ""


def joining_words(pictures: Mapping[str, Held], name: str, new: str) -> str:
    """Return what else renaming a person did, such as ``; joined with Ada, who had 1 picture``; mostly empty.

    Args:
        pictures: number of pictures that each person had before, by name.
        name: name of the person before.
        new: the new name.
    """
    name, new, words = spelling(name), spelling(new), ""
    if new != name and new in pictures:
        words = f"; joined with {shown(new)}, who had {pictures[new].words}"
    if others := [shown(one) for one in namesakes(pictures, new) if one != name]:
        who = f"{others[0]} is" if len(others) == 1 else f"{' and '.join(others)} are"
        words += f"; {who} in the gallery, too: if both are one, rename again to join them"
    return words


def namesakes(names: Iterable[str], name: str) -> list[str]:
    """Return the names that are similar, but not equal, to a name; see ``alike``."""
    return [one for one in names if one != spelling(name) and alike(one, name)]
