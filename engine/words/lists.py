"""Lists of names within a sentence."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 8


def some_of(names: Sequence[str]) -> str:
    """Return the first few names, and a sign where there are more: ``a, b, …``."""
    return ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")


def first_of(names: Sequence[str], most: int) -> str:
    """Return at most so many names, and how many more there are: ``a, b and 3 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
