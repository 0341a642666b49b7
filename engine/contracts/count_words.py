"""Numbers with their nouns and units, for people: one of something is not several."""

from __future__ import annotations


def count(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun, as ``1 drop``, ``2,000 drops`` or ``3 people``.

    Args:
        number: how many.
        one: the noun for one.
        several: that for none or more than one; empty: ``one`` with an s.
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def megabytes(size_bytes: int) -> str:
    """Return a size, as ``1,234.5 MB`` (of 10^6 bytes)."""
    return f"{size_bytes / 1e6:,.1f} MB"
