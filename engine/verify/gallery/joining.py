"""Where a person gets a name that somebody has already, or one that can be mistaken for it: refused, or said."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import NameTakenError
from engine.verify.gallery.person_name import alike, shown, spelling
from engine.words.numbers import count


def check_free(pictures: Mapping[str, int], name: str, new: str) -> None:
    """Check that a person can have a name without being joined with somebody.

    Args:
        pictures: how many each person has, by name; whoever is not among them is nobody to join.
        name: of the person up to now.
        new: the new one.

    Raises:
        NameTakenError: somebody has it.
    """
    name, new = spelling(name), spelling(new)
    if name in pictures and new in pictures:
        raise NameTakenError(
            f"{shown(new)} is in the gallery already, with {count(pictures[new], 'picture')}: if {shown(name)} is the same "
            "person, join them on purpose with --join, which cannot be undone; else choose another name"
        )


def same_name_words(name: str, new: str) -> str:
    """Return what to say where the new name of a person is the one that they have, however it is encoded; else nothing."""
    return f"{shown(spelling(new))} is called so already: nothing was done" if spelling(name) == spelling(new) else ""


def joining_words(pictures: Mapping[str, int], name: str, new: str) -> str:
    """Return what renaming a person does beyond the name, as ``; joined with Ada, who had 1 picture``; mostly empty.

    Args:
        pictures: how many each person had before, by name.
        name: of the person up to now.
        new: the new one.
    """
    name, new, words = spelling(name), spelling(new), ""
    if new != name and new in pictures:
        had = pictures[new]
        words = f"; joined with {shown(new)}, who had {count(had, 'picture')}"
    if others := [shown(one) for one in namesakes(pictures, new) if one != name]:
        who = f"{others[0]} is" if len(others) == 1 else f"{' and '.join(others)} are"
        words += f"; {who} in the gallery, too: if both are one, rename again to join them"
    return words


def namesakes(names: Mapping[str, int], name: str) -> list[str]:
    """Return who is called nearly as somebody, and not the same, see ``alike``."""
    return [one for one in names if one != spelling(name) and alike(one, name)]
