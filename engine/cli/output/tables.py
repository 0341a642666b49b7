"""Tables for a terminal of any width: no word or number is broken, and no sentence is squeezed into a narrow column. If the
columns do not fit side by side, borders and empty columns are dropped; after that, each row becomes a block of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from engine.cli.output.plain import plain_lines

Kind = Literal["number", "word", "words", "sentence"]
"""``number`` (also a date, or a size: never broken, to the right), ``word`` (never broken), ``words`` (broken between words),
``sentence`` (wants a column that is wide enough to read)."""
_SENTENCE_WIDTH = 32
_LONGEST_WORD, _FOLDED_WIDTH = 40, 16
"""A longer one, as a path, fits nowhere: it is folded, at least so wide."""
_SHORT = 24
"""Cells of at most so many characters share a line of a block."""
_BETWEEN = 3
"""Characters of a border and the space around it."""
_BETWEEN_BARE = 2
"""The same without borders."""
_MANY_ROWS = 2_000
"""More are written as bare columns: rich takes 0.3 ms for a row, and 50,000 people would take a quarter of a minute."""
_INDENT = 2
"""Of what stands in a block, below its head."""


@dataclass(frozen=True)
class Column:
    """One column."""

    title: str
    kind: Kind = "words"


class Rows:
    """Something to print: rows under titles.

    Args:
        columns: the first one names the row, and heads its block where there is no room for a table.
        rows: a cell for each column; what is no ``Text`` is shown ``plain``, line by line.
        title: above.
        caption: below.
    """

    def __init__(
        self, columns: Sequence[Column], rows: Iterable[Sequence[str | Text]], *, title: str | Text = "", caption: str = ""
    ) -> None:
        self._columns, self._title, self._caption = columns, title, caption
        self._rows = [[Text(plain_lines(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = list(range(len(self._columns)))
        if len(self._rows) > _MANY_ROWS and not any("\n" in cell.plain for row in self._rows for cell in row):
            longest = [self._longest(index) for index in shown]
            if sum(longest) + _BETWEEN_BARE * len(longest) <= options.max_width:
                yield from self._lines(longest)
                return
        widths = [self._least(index) for index in shown]
        if (room := options.max_width - _BETWEEN * len(widths) - 1) >= sum(widths):
            yield self._table(shown, self._filled(shown, widths, room))
            return
        shown = [index for index in shown if any(row[index].plain.strip() for row in self._rows)] or shown
        widths = [widths[index] for index in shown]
        if (room := options.max_width - _BETWEEN_BARE * len(widths)) >= sum(widths):
            yield self._table(shown, self._filled(shown, widths, room), bare=True)
        else:
            yield from self._blocks(options.max_width)

    def _least(self, index: int) -> int:
        """Return how wide a column must be at least."""
        column = self._columns[index]
        texts = [column.title, *(row[index].plain for row in self._rows)]
        if column.kind in ("number", "word"):
            return max(cell_len(line) for text in texts for line in text.split("\n"))
        words = [cell_len(word) for text in texts for word in text.split()]
        word = max((length if length <= _LONGEST_WORD else _FOLDED_WIDTH for length in words), default=1)
        return max(word, min(self._longest(index), _SENTENCE_WIDTH)) if column.kind == "sentence" else word

    def _longest(self, index: int) -> int:
        """Return how wide a column is in which nothing is broken."""
        texts = [self._columns[index].title, *(row[index].plain for row in self._rows)]
        return max(cell_len(line) for text in texts for line in text.split("\n"))

    def _filled(self, shown: Sequence[int], widths: Sequence[int], room: int) -> list[int]:
        """Return the widths with the rest of the room given to who needs least to have all: left to itself, rich takes from the
        widest column until its words are cut."""
        filled, left = list(widths), room - sum(widths)
        lacking = sorted((max(0, self._longest(index) - filled[at]), at) for at, index in enumerate(shown))
        for done, (lack, at) in enumerate(lacking):
            given = min(lack, left // (len(lacking) - done))
            filled[at] += given
            left -= given
        return filled

    def _table(self, shown: Sequence[int], widths: Sequence[int], *, bare: bool = False) -> Table:
        table = Table(title=self._title or None, caption=self._caption or None)
        if bare:
            table.box, table.pad_edge, table.padding = None, False, (0, _BETWEEN_BARE, 0, 0)
        for column, width in zip([self._columns[index] for index in shown], widths, strict=True):
            stays = column.kind in ("number", "word")
            justify: Literal["left", "right"] = "right" if column.kind == "number" else "left"
            table.add_column(column.title, justify=justify, no_wrap=stays, overflow="fold", width=width)
        for row in self._rows:
            table.add_row(*(row[index] for index in shown))
        return table

    def _lines(self, widths: Sequence[int]) -> Iterator[Segment]:
        """Return every row as a line in which nothing is broken, without colours."""
        titles = [column.title for column in self._columns]
        if self._title:
            yield Segment(f"{Text.assemble(self._title).plain}\n")
        for cells in (titles, *([cell.plain for cell in row] for row in self._rows)):
            filled = [
                " " * (width - cell_len(cell)) + cell if column.kind == "number" else set_cell_size(cell, width)
                for column, cell, width in zip(self._columns, cells, widths, strict=True)
            ]
            yield Segment(f"{(' ' * _BETWEEN_BARE).join(filled).rstrip()}\n")
        if self._caption:
            yield Segment(f"{self._caption}\n")

    def _blocks(self, width: int) -> RenderResult:
        if self._title:
            yield Text.assemble(self._title)
        for row in self._rows:
            cells = [(column, cell) for column, cell in zip(self._columns[1:], row[1:], strict=True) if cell.plain.strip()]
            yield Text.assemble((row[0].plain, "bold"), overflow="fold")
            short = [cell.cell_len <= _SHORT and "\n" not in cell.plain for _, cell in cells]
            told = [Text.assemble(f"{column.title} ", cell) for (column, cell), fits in zip(cells, short, strict=True) if fits]
            for line in _packed(told, width - _INDENT):
                yield Padding(line, (0, 0, 0, _INDENT))
            for (column, cell), fits in zip(cells, short, strict=True):
                if not fits:
                    yield Padding(Text.assemble(f"{column.title}: ", cell, overflow="fold"), (0, 0, 0, _INDENT))
        if self._caption:
            yield Text(self._caption, "italic")


def _packed(entries: Iterable[Text], width: int) -> list[Text]:
    """Return entries in lines with commas between them, none of them broken that fits into a line."""
    lines: list[Text] = []
    for entry in entries:
        if lines and lines[-1].cell_len + len(", ,") + entry.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], ", ", entry)
        else:
            lines[-1:] = [*(Text.assemble(line, ",") for line in lines[-1:]), entry]
    return lines
