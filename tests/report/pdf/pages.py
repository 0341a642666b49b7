"""Documents as tests read them: what was drawn, by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

pytest.importorskip("fpdf", reason="needs facestream[exhibit]")
pytest.importorskip("pymupdf_fonts", reason="needs facestream[exhibit]")
pytest.importorskip("uharfbuzz", reason="needs facestream[exhibit]")

from engine.report.pdf import fonts
from engine.report.pdf.document import Exhibit, write_pdf
from engine.report.pdf.sheet import Sheet

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


class Drawn:
    """What was drawn, of all sheets that were made meanwhile; the last one is the document."""

    def __init__(self):
        self._by_sheet = defaultdict(lambda: defaultdict(list))

    def note(self, sheet, text):
        self._by_sheet[id(sheet)][sheet.page].append((sheet, text))

    @property
    def pages(self):
        """The texts of each page of the document, from the first on."""
        last = max(self._by_sheet.values(), key=len)
        return [" | ".join(text for _, text in last[page]) for page in sorted(last)]


@contextmanager
def drawing() -> Iterator[Drawn]:
    """Note every text that is drawn meanwhile; no font of this system counts."""
    drawn, words = Drawn(), Sheet.words

    def noting(sheet, x, y, width, text, size, **more):
        if text and more.get("draw", True):
            drawn.note(sheet, text)
            assert y + words(sheet, x, y, width, text, size, **more | {"draw": False}) <= sheet.h - 4, text
        return words(sheet, x, y, width, text, size, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sheet, "words", noting)
        patch.setattr(fonts, "_system_fonts", lambda: iter(()))
        yield drawn


def document(directory, created=NOON, **asked):
    """Return what was written of a run, its bytes, and the texts of its pages."""
    out = directory.with_suffix(".pdf")
    with drawing() as drawn:
        written = write_pdf(directory, out, Exhibit(**asked), created)
    return written, out.read_bytes(), drawn.pages
