"""Writes figures as tables on the terminal, in Markdown and as JSON, for all protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.table import Table

from trt_build.writing import writable


@dataclass(frozen=True)
class TextTable:
    """Headings, and as many cells in each row."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str | None = None

    def on_terminal(self) -> Table:
        """Return the table for rich."""
        table = Table(*self.headings, box=None, title=self.title)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> list[str]:
        """Return the lines of a Markdown table, without the title."""
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        return [f"| {' | '.join(cells)} |" for cells in lines]


def table_of(rows: Mapping[str, Mapping[str, float]], corner: str, digits: str) -> TextTable:
    """Return a table of figures by row and column; ``digits``: format of a figure, such as ``.3g``."""
    columns = list(next(iter(rows.values()), {}))
    return TextTable(
        [corner, *columns], [[name, *(f"{row[column]:{digits}}" for column in columns)] for name, row in rows.items()]
    )


def turned(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the figures transposed."""
    columns = list(next(iter(rows.values()), {}))
    return {column: {name: row[column] for name, row in rows.items()} for column in columns}


def write_json(value: object, path: Path) -> None:
    """Write figures as indented JSON; NaN becomes null.

    Raises:
        DataError: the file cannot be written.
    """
    with writable(path):
        path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
