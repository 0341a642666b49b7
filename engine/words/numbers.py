"""Numbers with their nouns and units, for people: one of something is not several."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 8


def count(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun, as ``1 drop``, ``2,000 drops`` or ``3 people``.

    Args:
        number: how many.
        one: the noun for one.
        several: that for none or more than one; empty: ``one`` with an s.
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def told_apart(value: float, limit: float, digits: int) -> tuple[str, str]:
    """Return a value and the limit that it does not meet, as figures that differ: 47.7 is not told as 48 where 48 is needed.

    Args:
        value: what was found.
        limit: what is needed, or allowed.
        digits: after the point, where these do; at most four more.
    """
    for more in range(digits, digits + 5):
        found, needed = f"{value:.{more}f}", f"{limit:.{more}f}"
        if found != needed:
            break
    return found, needed


def megabytes(size_bytes: int) -> str:
    """Return a size, as ``1,234.5 MB`` (of 10^6 bytes)."""
    return f"{size_bytes / 1e6:,.1f} MB"


def track_numbers(numbers: Sequence[int]) -> str:
    """Say which tracks there are, as ``there are 1, 3``, or ``there is only 3``; ``numbers`` in their order."""
    if len(numbers) == 1:
        return f"there is only {numbers[0]}"
    if len(numbers) <= _MOST_NAMED:
        return f"there are {', '.join(map(str, numbers))}" if numbers else "there are none"
    return f"there are {len(numbers)}, from {numbers[0]} to {numbers[-1]}"
