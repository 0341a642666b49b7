"""Runs for documents, and documents as tests read them: what was drawn, by page."""

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

from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.publish.numbering import Numbering
from engine.report.pdf import fonts
from engine.report.pdf.document import Exhibit, write_pdf
from engine.report.pdf.sheet import Sheet
from tests.publish.samples import face, stream_event, track

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
RUN = {"run_id": "run1", "versions": {"facestream": "0.1.0"}}
SHA = "ab" * 32
FACTS = {
    "inputs": {"cam1": {"path": "/secret/folder/gate.mp4", "size_bytes": 12_300_000, "sha256": SHA}},
    "workers": {"enhance-1": {"generator": "compact_x4", "generator_sha256": "cd" * 32, "names": "at most 1 in 1,000"}},
}


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


def a_run(directory, tracks, run=RUN):
    """Write a run; ``tracks`` are arguments of ``track``, by id."""
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(directory)), run)
    sink.write(numbering.stamp(stream_event("cam1")), [])
    for track_id, said in tracks.items():
        for index in range(3):
            message, payloads = face(track_id=track_id, index=index, score=0.5 + index / 10)
            sink.write(numbering.stamp(message), payloads)
        message, payloads = track(track_id=track_id, **said)
        sink.write(numbering.stamp(message), payloads)
    sink.close("completed", FACTS)
    return directory
