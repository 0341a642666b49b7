"""The sheet of paper: sizes, fonts, colours, the lines at the head and foot of each page."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from fpdf import FPDF, ViewerPreferences
from fpdf.enums import MethodReturnValue, XPos, YPos

from engine import __version__
from engine.report.pdf.fonts import TEXT, Fonts, needs_shaping
from engine.report.pdf.lines import lines_of
from engine.report.pdf.tags import Tag, Tree
from engine.words.times import zoned

Paper = Literal["a4", "letter"]
Colour = tuple[int, int, int]
BLACK: Colour = (20, 20, 20)
GREY: Colour = (75, 75, 75)
PALE: Colour = (200, 200, 200)
MADE: Colour = (200, 80, 0)
"""Of whatever a model has made."""
MARGIN_MM = 14.0
_RULE_MM, TOP_MM, _BOTTOM_MM, _FOOT_MM = 11.0, 13.0, 13.0, 9.5
_HEAD_SIZE, _MORE_MM = 7.5, 5.0
_MM_PER_POINT = 25.4 / 72
_MOST_BROKEN = 5_000
"""Texts whose lines are remembered."""
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>'
    '<rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>'
)


class Sheet(FPDF):
    """One document.

    Args:
        paper: of all pages.
        title: for the reader's window and the head of each page.
        author: empty: nobody is named.
        created: stands in it, and is all that differs between two documents of equal input.
        folder: for files that must outlive it.
    """

    def __init__(self, paper: Paper, title: str, author: str, created: datetime, folder: Path) -> None:
        super().__init__(format=paper)
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.c_margin = 0
        self.fonts_of = Fonts(self, folder)
        self.at_mm = 0.0
        """Below the head of this page, where drawing begins."""
        self.struct_builder = self._tree = Tree()
        self._is_decoration = False
        self._lines: dict[tuple[str, float, float, str, str], list[str]] = {}
        self._title = self.fonts_of.readable(title)
        self.set_title(title)
        if author:
            self.set_author(author)
        self.set_creator(f"facestream {__version__}")
        self.set_producer(f"facestream {__version__}")
        self.set_creation_date(created)
        self.set_lang("en")
        self.set_xmp_metadata(_XMP.format(title=escape(self._title)))
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self._foot = f"facestream {__version__}, document made {zoned(created)}"

    @property
    def width_mm(self) -> float:
        """Between the margins."""
        return float(self.w) - 2 * MARGIN_MM

    @property
    def bottom_mm(self) -> float:
        """Below it nothing is drawn but the foot."""
        return float(self.h) - _BOTTOM_MM

    def begin(self, bookmark: str = "") -> None:
        """Begin a page, with its head; the place to draw at is below it."""
        self.add_page()
        if bookmark:
            self.bookmark(self.fonts_of.readable(bookmark), 0, 0.0)
        with self.decoration():
            self.words(MARGIN_MM, 6.5, self.width_mm, self._head(), _HEAD_SIZE, colour=GREY)
        self.rule(MARGIN_MM, _RULE_MM, self.width_mm, 0.2)
        self.at_mm = TOP_MM

    def _head(self) -> str:
        """Return the title, or its beginning: a second line would lie over what is below."""
        first, *more = self.lines(self._title, self.width_mm - _MORE_MM, _HEAD_SIZE)
        return f"{first} …" if more else first

    def bookmark(self, text: str, level: int, y: float) -> None:
        """Add a bookmark of a place on this page.

        Args:
            text: of ``Fonts.readable``.
            level: 0 of a page, 1 of what is on it.
            y: in mm.
        """
        self.set_xy(MARGIN_MM, y)
        self.start_section(text, level)

    def number_pages(self) -> None:
        """Write the foot of each page, once there are no more."""
        pages = len(self.pages)
        for number in range(1, pages + 1):
            self.page = number
            self.set_font(TEXT, "", 6.0)  # else the size that was set last, on another page, would not be set again
            y = float(self.h) - _FOOT_MM
            with self.decoration():
                self.words(MARGIN_MM, y, self.width_mm, self._foot, 7.0, colour=GREY)
                self.words(MARGIN_MM, y, self.width_mm, f"page {number} of {pages}", 7.0, colour=GREY, align="R")

    @contextmanager
    def tagged(self, tag: Tag, alt: str = "", attributes: str = "", *, draw: bool = True) -> Iterator[None]:
        """What is drawn meanwhile is one element for whoever has the document read aloud, see ``Element``.

        Args:
            tag: what it is.
            alt: what a picture shows, in words.
            attributes: of the element.
            draw: False: it is only measured, and there is no element.
        """
        if not draw or self._is_decoration:
            yield
            return
        with self._tree.within(self.pages[self.page], tag, alt, attributes):
            yield

    @contextmanager
    def decoration(self) -> Iterator[None]:
        """What is drawn meanwhile is not read aloud: lines, the head and foot of a page."""
        if self._is_decoration:
            yield
            return
        self._out("/Artifact BMC")
        self._is_decoration = True
        yield
        self._is_decoration = False
        self._out("EMC")

    @contextmanager
    def _marked(self, draw: bool = True) -> Iterator[None]:
        """What is drawn meanwhile is of the element that is open, else a paragraph."""
        if not draw or self._is_decoration:
            yield
            return
        tag, number = self._tree.mark(self.pages[self.page])
        self._out(f"{tag} <</MCID {number}>> BDC")
        yield
        self._out("EMC")

    def words(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        size: float,
        *,
        style: str = "",
        family: str = TEXT,
        colour: Colour = BLACK,
        align: str = "L",
        draw: bool = True,
    ) -> float:
        """Draw a text, broken into lines, and return its height in mm.

        Args:
            x, y, width: of its place, in mm.
            text: of ``Fonts.readable``.
            size: in points.
            style: ``B`` for bold.
            family: ``TEXT`` or ``MONO``.
            colour: of the letters.
            align: ``L``, ``R`` or ``C``.
            draw: False: only measure.
        """
        if not text:
            return 0.0
        if needs_shaping(text):
            with self._marked(draw):
                return self._shaped(x, y, width, text, size, style, family, colour, align, draw)
        lines, high = self.lines(text, width, size, style=style, family=family), line_mm(size)
        if draw:
            self.set_font(family, style, size)
            self.set_text_color(*colour)
            self.set_text_shaping(False)
            with self._marked():
                for number, line in enumerate(lines):
                    self.set_xy(x, y + number * high)
                    self.cell(width, high, line, align=align)
        return high * len(lines)

    def lines(self, text: str, width: float, size: float, *, style: str = "", family: str = TEXT) -> list[str]:
        """Return the lines that ``words`` breaks a text into."""
        if needs_shaping(text):
            self.set_font(family, style, size)
            self.set_text_shaping(True)
            return self.multi_cell(width, line_mm(size), text, dry_run=True, output=MethodReturnValue.LINES)  # type: ignore[return-value]
        key = text, width, size, style, family
        if key not in self._lines:
            if len(self._lines) > _MOST_BROKEN:  # of long documents; most pages say much the same
                self._lines.clear()
            self._lines[key] = list(lines_of(text, width, self._measure(size, style, family)))
        return self._lines[key]

    def _measure(self, size: float, style: str, family: str) -> Callable[[str], float]:
        font: Any = self.fonts[family + style]
        widths, scale = font.cw, size * _MM_PER_POINT / 1000
        return lambda piece: scale * float(sum(widths[ord(character)] for character in piece))

    def _shaped(
        self, x: float, y: float, width: float, text: str, size: float, style: str, family: str, colour: Colour, align: str,
        draw: bool,
    ) -> float:  # fmt: skip
        self.set_font(family, style, size)
        self.set_text_color(*colour)
        self.set_text_shaping(True)
        self.set_xy(x, y)
        height = self.multi_cell(
            width, line_mm(size), text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT, dry_run=not draw,
            output=MethodReturnValue.HEIGHT,
        )  # fmt: skip
        return float(height)  # type: ignore[arg-type]

    def picture(self, x: float, y: float, width: float, height: float, data: bytes, alt: str) -> None:
        """Draw a JPEG or PNG into a place; ``alt`` says in words what it shows."""
        sides = (x, self.h - y - height, x + width, self.h - y)
        box = " ".join(f"{self.k * side:.2f}" for side in sides)
        with self.tagged("Figure", alt, f"<</O /Layout /BBox [{box}]>>"), self._marked():
            self.image(io.BytesIO(data), x, y, width, height)

    def rule(self, x: float, y: float, width: float, line: float) -> None:
        """Draw a pale line across."""
        with self.decoration():
            self.set_draw_color(*PALE)
            self.set_line_width(line)
            self.line(x, y, x + width, y)

    def frame(self, x: float, y: float, width: float, height: float, colour: Colour, line: float = 0.25) -> None:
        """Draw the outline of a rectangle."""
        with self.decoration():
            self.set_draw_color(*colour)
            self.set_line_width(line)
            self.rect(x, y, width, height)

    @contextmanager
    def dashed(self) -> Iterator[None]:
        """Draw dashed lines meanwhile."""
        self.set_dash_pattern(dash=1.2, gap=0.8)
        yield
        self.set_dash_pattern()


def line_mm(size: float) -> float:
    """Return the height of a line of so many points."""
    return 1.22 * size * _MM_PER_POINT
