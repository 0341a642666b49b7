"""What is to be said where a person gets a name: somebody has it already, or one that can be mistaken for it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.count_words import count
from engine.verify.person_name import alike, shown, spelling


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
