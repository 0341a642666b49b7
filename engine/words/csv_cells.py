"""Text in CSV files: a spreadsheet takes some of it for a formula, and names may come from elsewhere."""

from __future__ import annotations

from typing import TypeVar

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
Cell = TypeVar("Cell")


def csv_cell(value: Cell) -> Cell | str:
    """Return a text that begins like a formula with an apostrophe before it, and anything else, numbers too, as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
