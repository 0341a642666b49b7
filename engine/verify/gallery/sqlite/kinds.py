"""Of what kind each value of a gallery is. SQLite takes a value of any kind in any column, also from a disk that flips bits.

What is read is looked at, not the file when it is opened: that would read all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.verify.gallery.pictures import COLUMNS

_KINDS: dict[str, frozenset[type]] = {
    **dict.fromkeys((*COLUMNS, "portrait", "source", "marked_at"), frozenset({str})),
    "embedding": frozenset({bytes}),
    "quality": frozenset({float, int}),
    "version": frozenset({int}),
}


def are_sound(columns: Iterable[str], rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether rows hold nothing that no version has written.

    Args:
        columns: their names; of others than the gallery's anything may be.
        rows: of a query.
    """
    values = zip(*rows, strict=True)  # none where there are no rows
    return all(_KINDS[name].issuperset(map(type, some)) for name, some in zip(columns, values, strict=False) if name in _KINDS)
