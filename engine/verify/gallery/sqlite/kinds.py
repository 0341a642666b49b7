"""Checks the types of a gallery's values. SQLite accepts any type in any column, and a disk may flip bits.

Rows are checked when they are read, not the file when it is opened, which would read all of it.
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
    """Whether rows hold only values that some version could have written.

    Args:
        columns: their names; columns other than the gallery's are not checked.
        rows: of a query.
    """
    values = zip(*rows, strict=True)  # empty if there are no rows
    return all(_KINDS[name].issuperset(map(type, some)) for name, some in zip(columns, values, strict=False) if name in _KINDS)
