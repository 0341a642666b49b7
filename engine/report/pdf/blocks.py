"""What pages are composed of: pieces that know how high they are before they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.report.pdf.fonts import MONO, TEXT
from engine.report.pdf.sheet import BLACK, GREY, MARGIN_MM, Colour, Sheet, line_mm
from engine.report.pdf.tags import Tag

_BULLET_MM, _BETWEEN_MM = 3.0, 6.0


class Block(Protocol):
    """One piece."""

    def draw(self, sheet: Sheet, x: float, y: float, width: float, size: float, *, draw: bool = True) -> float:
        """Draw it and return its height in mm.

        Args:
            sheet: on whose current page.
            x, y, width: of its place, in mm.
            size: of ordinary letters, in points.
            draw: False: only measure.
        """
        ...


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str
    scale: float = 1.0
    style: str = ""
    family: str = TEXT
    colour: Colour = BLACK
    bullet: bool = False
    is_long: bool = False
    """It may go on over pages; it is plain then."""
    keeps_next: bool = False
    """It is not left alone at the end of a page."""
    bookmark: bool = False
    """It stands among the bookmarks, below that of its page."""
    tag: Tag = "P"
    """What it is for whoever has the document read aloud: ``P``, or a heading, ``H1`` to ``H3``."""
    before_mm: float = 0.0
    after_mm: float = 0.8

    def draw(self, sheet: Sheet, x: float, y: float, width: float, size: float, *, draw: bool = True) -> float:
        """See ``Block``."""
        points, text, indent = size * self.scale, sheet.fonts_of.readable(self.text), _BULLET_MM if self.bullet else 0.0
        y += self.before_mm
        if self.bookmark and draw:
            sheet.bookmark(text, 1, y)
        if self.bullet and draw:
            with sheet.decoration():
                sheet.words(x, y, _BULLET_MM, "•", points, colour=self.colour)
        with sheet.tagged(self.tag, draw=draw and bool(text)):
            height = sheet.words(
                x + indent, y, width - indent, text, points, style=self.style, family=self.family, colour=self.colour, draw=draw
            )
        return self.before_mm + height + self.after_mm


def heading(text: str, *, bookmark: bool = False) -> Words:
    """Return the title of a part: of the first pages, among the bookmarks, or of a track's page."""
    tag: Tag = "H2" if bookmark else "H3"
    return Words(text, 1.05, "B", keeps_next=True, bookmark=bookmark, tag=tag, before_mm=1.2, after_mm=0.6)


@dataclass(frozen=True)
class Table:
    """Rows of cells; a row is never broken."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[float]
    """Of the width, by column."""
    mono: frozenset[int] = frozenset()
    """Columns of hexadecimal digits."""
    scale: float = 1.0
    after_mm: float = 1.2
    bold: frozenset[int] = frozenset()
    """Columns that stand out."""
    cell_mm: float = 0.5
    """Above and below what stands in a cell."""

    def draw(self, sheet: Sheet, x: float, y: float, width: float, size: float, *, draw: bool = True) -> float:
        """See ``Block``."""
        height = 0.0
        with sheet.tagged("Table", draw=draw):
            for row in range(-1 if self.head else 0, len(self.rows)):
                height += self.draw_row(sheet, x, y + height, width, size, row, draw=draw)
        return height + self.after_mm

    def draw_row(self, sheet: Sheet, x: float, y: float, width: float, size: float, row: int, *, draw: bool) -> float:
        """Draw one row, -1 for the head, and return its height."""
        cells, points = self.head if row < 0 else self.rows[row], size * self.scale
        heights = [line_mm(points)]
        place = x
        with sheet.tagged("TR", draw=draw):
            for column, (cell, share) in enumerate(zip(cells, self.shares, strict=True)):
                heights.append(self._cell(sheet, place, y, width * share, points, row, column, cell, draw=draw))
                place += width * share
        height = max(heights) + 2 * self.cell_mm
        if draw:
            sheet.rule(x, y + height, width, 0.15)
        return height

    def _cell(
        self, sheet: Sheet, x: float, y: float, width: float, points: float, row: int, column: int, text: str, *, draw: bool
    ) -> float:
        """Draw one cell and return the height of its text."""
        digits, bold = column in self.mono and row >= 0, column in self.bold and row >= 0
        names = "Column" if row < 0 else "Row" if bold else ""
        attributes = f"<</O /Table /Scope /{names}>>" if names else ""
        with sheet.tagged("TH" if names else "TD", attributes=attributes, draw=draw):
            return sheet.words(
                x,
                y + self.cell_mm,
                width - 1.5,
                sheet.fonts_of.readable(text),
                points * (0.86 if digits else 1.0),
                style="B" if bold else "",
                family=MONO if digits else TEXT,
                colour=GREY if row < 0 else BLACK,
                draw=draw,
            )


@dataclass(frozen=True)
class Columns:
    """Several pieces side by side."""

    parts: Sequence[Sequence[Block]]
    shares: Sequence[float] = field(default=(0.5, 0.5))

    def draw(self, sheet: Sheet, x: float, y: float, width: float, size: float, *, draw: bool = True) -> float:
        """See ``Block``."""
        room, highest = width - _BETWEEN_MM * (len(self.parts) - 1), 0.0
        for part, share in zip(self.parts, self.shares, strict=True):
            below = y
            for block in part:
                below += block.draw(sheet, x, below, room * share, size, draw=draw)
            highest = max(highest, below - y)
            x += room * share + _BETWEEN_MM
        return highest


def height_of(sheet: Sheet, blocks: Sequence[Block], size: float) -> float:
    """Return how high they are together, in mm, over the whole width."""
    return sum(block.draw(sheet, MARGIN_MM, 0.0, sheet.width_mm, size, draw=False) for block in blocks)
