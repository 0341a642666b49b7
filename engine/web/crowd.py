"""Who gives way where all places are taken: whoever holds the most, so that nobody alone keeps all others out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def crowding(holders: Iterable[str], *, beside: str) -> str | None:
    """Return who holds the most places; None: nobody gives way to somebody who holds nearly as many.

    Args:
        holders: the name of the holder of each place, of which there is at least one.
        beside: who wants another one.
    """
    counts = Counter(holders)
    name, most = counts.most_common(1)[0]
    return name if most > counts[beside] + 1 else None
