"""Documents as tests read them: what was drawn, by page."""

from __future__ import annotations

import re
import zlib
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


def tags_of(data: bytes) -> list:
    """Return the tree of a document's tags from its bytes, each as ``(tag, what else is said of it, its parts)``; what is drawn
    stands as its number."""
    texts = (one for one in data.split(b"\nendobj") if b"\nstream" not in one)
    objects = (re.search(rb"(\d+) 0 obj\n<<\n(.*)\n>>$", one, re.S) for one in texts)
    found = {int(one[1]): one[2].decode("latin-1") for one in objects if one}

    def parts(body):
        said = re.search(r"/K \[(.*?)\]", body, re.S)[1]
        for reference, content in re.findall(r"(\d+) 0 R|(\d+)", said):
            yield element(int(reference)) if reference else int(content)

    def element(number):
        body = found[number]
        said = re.search(r"/Alt \((.*?)\)\n|/Scope /(\w+)", body)
        return re.search(r"/S /(\w+)", body)[1], next(filter(None, said.groups()), "") if said else "", list(parts(body))

    [whole] = [number for number, body in found.items() if "/S /Document" in body]
    return element(whole)[2]


def contents_of(data: bytes) -> list[list[str]]:
    """Return the operators of each page."""
    packed = re.findall(rb"/Filter /FlateDecode\n/Length \d+\n>>\nstream\n(.*?)\nendstream", data, re.S)
    streams = map(zlib.decompress, packed)
    return [one.decode("latin-1").splitlines() for one in streams if b" BDC" in one]
