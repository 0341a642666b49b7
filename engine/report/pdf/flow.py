"""Pieces one below the other, over as many pages as they take, without a page for the last few lines."""

from __future__ import annotations

from collections.abc import Sequence

from engine.report.pdf.blocks import Block, Table, Words, height_of
from engine.report.pdf.sheet import MARGIN_MM, TOP_MM, Sheet, line_mm

_NEXT_MM = 16.0
"""Below what is not left alone at the end of a page."""
_SLACK_MM = 4.0
"""A line of a shaped text that needs no shaping itself is somewhat longer alone."""
_WHOLE = 1 / 3
"""A part of less than this share of a page is not broken."""


def flow(sheet: Sheet, blocks: Sequence[Block], sizes: Sequence[float]) -> None:
    """Draw pieces from the sheet's present place on, in the largest letters that need no more pages than the smallest do.

    A table goes on below its head. A short part, from one bookmark to the next, is not broken.

    Args:
        sheet: with a page that has begun.
        blocks: in reading order.
        sizes: of ordinary letters, in points, the largest first.
    """
    least = _Flow(sheet, sizes[-1], draw=False).over(blocks)
    size = next(size for size in sizes if _Flow(sheet, size, draw=False).over(blocks) <= least)
    _Flow(sheet, size, draw=True).over(blocks)


class _Flow:
    """One pass over the pieces, see ``flow``; without ``draw`` nothing changes but its own place."""

    def __init__(self, sheet: Sheet, size: float, *, draw: bool) -> None:
        self._sheet, self._size, self._draw = sheet, size, draw
        self._at_mm, self._pages = sheet.at_mm, 1

    def over(self, blocks: Sequence[Block]) -> int:
        """Return how many pages the pieces take."""
        for number, block in enumerate(blocks):
            if isinstance(block, Words) and block.bookmark:
                self._keep_whole(blocks[number:])
            if isinstance(block, Table):
                self._rows(block)
            elif isinstance(block, Words) and block.is_long:
                self._lines(block)
            else:
                self._whole(block)
        return self._pages

    def _keep_whole(self, rest: Sequence[Block]) -> None:
        """Begin another page for a short part that has no room on this one."""
        ends = (at for at, block in enumerate(rest) if at and isinstance(block, Words) and block.bookmark)
        height = height_of(self._sheet, rest[: next(ends, len(rest))], self._size)
        if height <= _WHOLE * (self._sheet.bottom_mm - TOP_MM):
            self._make_room(height)

    def _whole(self, block: Block) -> None:
        sheet, keeps_next = self._sheet, isinstance(block, Words) and block.keeps_next
        height = block.draw(sheet, MARGIN_MM, 0.0, sheet.width_mm, self._size, draw=False)
        self._make_room(height + (_NEXT_MM if keeps_next else 0.0))
        self._at_mm += block.draw(sheet, MARGIN_MM, self._at_mm, sheet.width_mm, self._size, draw=self._draw)

    def _lines(self, block: Words) -> None:
        sheet, points = self._sheet, self._size * block.scale
        for paragraph in sheet.fonts_of.readable(block.text).split("\n"):
            for line in sheet.lines(paragraph, sheet.width_mm - _SLACK_MM, points) or [""]:
                self._make_room(line_mm(points))
                height = sheet.words(MARGIN_MM, self._at_mm, sheet.width_mm, line, points, draw=self._draw)
                self._at_mm += height or line_mm(points)
        self._at_mm += block.after_mm

    def _rows(self, table: Table) -> None:
        heads = [-1] if table.head else []
        with self._sheet.tagged("Table", draw=self._draw):
            for number, row in enumerate([*heads, *range(len(table.rows))]):
                height = self._row(table, row, draw=False)
                # The head is not left alone at the end of a page; where it stands once more it is not read aloud again.
                if self._make_room(height + (_NEXT_MM / 2 if row < 0 else 0.0)) and number and heads:
                    self._head_again(table)
                self._at_mm += self._row(table, row, draw=self._draw)
        self._at_mm += table.after_mm

    def _head_again(self, table: Table) -> None:
        if not self._draw:
            self._at_mm += self._row(table, -1, draw=False)
            return
        with self._sheet.decoration():
            self._at_mm += self._row(table, -1, draw=True)

    def _row(self, table: Table, row: int, *, draw: bool) -> float:
        return table.draw_row(self._sheet, MARGIN_MM, self._at_mm, self._sheet.width_mm, self._size, row, draw=draw)

    def _make_room(self, height: float) -> bool:
        """Begin another page where there is no room; return whether that was so."""
        if self._at_mm + height <= self._sheet.bottom_mm:
            return False
        if self._draw:
            self._sheet.begin()
        self._at_mm, self._pages = TOP_MM, self._pages + 1
        return True
