"""The whole document, from the files of a run's directory."""

from __future__ import annotations

import importlib.util
import tempfile
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.archive.one_stream import one_stream
from engine.archive.reader import TrackRecord, read_run, read_streams
from engine.errors import MissingRuntimeError, PublishError, UsageError
from engine.exhibit import chain_status
from engine.report.pdf.sentences import Confirmed, record_words
from engine.report.track_index import Indexed, TrackIndex
from engine.report.track_tables import Key
from engine.whole_file import rewriting
from engine.words.lists import first_of
from engine.words.times import zoned

if TYPE_CHECKING:
    from engine.report.pdf.cover import Cover
    from engine.report.pdf.sheet import Sheet

MOST_TRACKS = 500
"""Of one document; more can be had with several."""
_FACES_PER_TRACK = 1
_SHORT_NOTE = 160
"""Characters of notes that stand on each page too."""
_ORDER = ("known", "undecided", "unknown", "none")


@dataclass(frozen=True)
class Exhibit:
    """What a document is asked for."""

    tracks: tuple[Key, ...] = ()
    """Those to show, by stream, empty where only one has that number, and track id; none: all, the named ones first, as many as
    one document holds."""
    case: str = ""
    notes: str = ""
    examiner: str = ""
    paper: Literal["a4", "letter"] = "a4"
    confirmed: Confirmed = field(default_factory=Confirmed)


@dataclass(frozen=True)
class Written:
    """What came of it."""

    path: Path
    pages: int
    tracks: int
    left_out: int
    missing: tuple[str, ...]
    """Characters that no font here draws."""


def write_pdf(
    directory: Path, out: Path, asked: Exhibit, created: datetime, progress: Callable[[str], None] = lambda words: None
) -> Written:
    """Write the document, and return what is in it.

    Args:
        directory: of the run, also of one that goes on or was killed.
        out: the file, replaced as a whole.
        asked: what is to be in it.
        created: with its time zone; it stands in the document, and nothing else changes from one making to the next.
        progress: is told what goes on, in a few words.

    Raises:
        PublishError: the directory holds no run, or the file cannot be written.
        UsageError: a track that was asked for is not there, or several streams have one of that number.
        MissingRuntimeError: what makes documents is not installed.
    """
    _need_libraries()
    from engine.report.pdf.cover import Cover, cover
    from engine.report.pdf.sheet import Sheet
    from engine.report.pdf.source_frames import Sources
    from engine.report.pdf.track_page import Page, track_page

    run, streams = read_run(directory), read_streams(directory)
    with closing(TrackIndex(directory)) as index:
        shown, left_out, why = _chosen(index, asked.tracks)
        records = [index.record(track, _FACES_PER_TRACK) for track in shown]
        decisions = _counted(index.decisions)
    with tempfile.TemporaryDirectory(prefix="facestream-") as name, ExitStack() as open_fonts:
        folder = Path(name)
        sources = Sources(directory, run, folder)
        sources.read(records, progress)
        progress("checking the record of the run")
        briefly, chain = record_words(chain_status(directory))

        def new_sheet() -> Sheet:
            sheet = Sheet(asked.paper, _title(asked), asked.examiner, created, folder)
            open_fonts.callback(sheet.fonts_of.close)
            return sheet

        first = Cover(
            run, streams, sources.states, records, decisions, left_out, why, asked.case, asked.notes,
            asked.examiner, zoned(created), chain, asked.confirmed,
        )  # fmt: skip
        sheet = new_sheet()
        cover(sheet, _completed(first, new_sheet, [*map(_texts, records)]))
        short = asked.notes if len(asked.notes) <= _SHORT_NOTE else ""
        for number, record in enumerate(records, 1):
            progress(f"page {number} of {len(records)}")
            events = streams.get(record.stream, [])
            track_page(sheet, Page(directory, run, record, sources, events, asked.case, short, briefly, asked.confirmed))
        sheet.number_pages()
        missing = tuple(sorted(sheet.fonts_of.missing))
        _write(sheet, out)
    return Written(out, len(sheet.pages), len(records), len(left_out), missing)


def _write(sheet: Sheet, out: Path) -> None:
    try:
        with rewriting(out) as file:
            sheet.output(file)
    except OSError as error:
        raise PublishError(f"cannot write {out}: {error.strerror}") from error


def _completed(page: Cover, new_sheet: Callable[[], Sheet], texts: list[str]) -> Cover:
    """Return the first pages with the numbers of the others, and the characters that cannot be drawn anywhere."""
    from engine.report.pdf.cover import cover

    sheet = new_sheet()
    for text in texts:
        sheet.fonts_of.readable(text)
    cover(sheet, page)
    if sheet.fonts_of.missing:
        page = replace(page, missing=_missing_words(sheet.fonts_of.missing))
        sheet = new_sheet()
        cover(sheet, page)
    return replace(page, first_page=len(sheet.pages) + 1)


def _missing_words(missing: set[str]) -> str:
    if not missing:
        return ""
    codes = first_of([f"U+{ord(character):04X}" for character in sorted(missing)], 40)
    return (
        f"No font on the computer that made this document draws {codes}: these characters stand as their codes, "
        "as [U+7530]. With a font for them installed, make the document again."
    )


def _texts(record: TrackRecord) -> str:
    return " ".join([record.stream, *(one.identity for one in record.candidates)])


def _chosen(index: TrackIndex, asked: tuple[Key, ...]) -> tuple[list[Indexed], list[Key], str]:
    """Return the tracks of the document in its order, those that are left out, and why."""
    if not asked:
        shown, left = list[Indexed](), list[Key]()
        for track in index.tracks():
            if len(shown) < MOST_TRACKS:
                shown.append(track)
            else:
                left.append((track.stream, track.track_id))
        return shown, left, f"One document holds {MOST_TRACKS} tracks, those first that matter most; --track shows others."
    numbers, found, left = {number for _, number in asked}, dict[Key, Indexed](), list[Key]()
    for track in index.tracks():
        key = (track.stream, track.track_id)
        if track.track_id in numbers:
            found[key] = track
        else:
            left.append(key)
    chosen = dict.fromkeys(_meant(found, stream, number) for stream, number in asked)
    left += [key for key in found if key not in chosen]
    return [found[key] for key in chosen], left, "The document was asked for the other ones only."


def _meant(tracks: Collection[Key], stream: str, number: int) -> Key:
    whose = one_stream(number, (one for one, track_id in tracks if track_id == number and stream in ("", one)))
    if whose is None:
        of = f" of {stream}" if stream else ""
        raise UsageError(f"the run has no track {number}{of}: tracks.jsonl and report.html have the numbers")
    return whose, number


def _counted(decisions: Counter[Any]) -> dict[Any, int]:
    return {decision: decisions[decision] for decision in _ORDER}


def _title(asked: Exhibit) -> str:
    return "Faces found by facestream" + (f", case {asked.case}" if asked.case else "")


def _need_libraries() -> None:
    for module in ("fpdf", "pymupdf_fonts", "uharfbuzz"):
        if importlib.util.find_spec(module) is None:
            raise MissingRuntimeError(
                f"the packages that make PDF documents are not installed ({module}): pip install 'facestream[exhibit]'"
            )
