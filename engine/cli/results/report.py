"""``facestream report``: makes the page of a run anew, or a document for people who do not have the run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from engine.cli.results.page import write_page
from engine.cli.results.pdf import write_document
from engine.contracts.gallery import GalleryPlace
from engine.errors import UsageError


def report(
    directory: Path,
    /,
    *,
    pdf: Annotated[bool, Parameter(negative=())] = False,
    out: Path | None = None,
    track: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    stream: str = "",
    case: str = "",
    notes: str = "",
    examiner: str = "",
    paper: Literal["a4", "letter"] = "a4",
    two_person: Annotated[bool, Parameter(negative=())] = False,
    video: Literal["auto", "always", "never"] | None = None,
    photographs: Path | None = None,
    gallery: str = "",
    gallery_key: str = "",
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Make report.html of a run again, or with --pdf a document with one page per track.

    For example:

        facestream report result

        facestream report result --photographs enrolled/ --out pages/yard.html

        facestream report result --pdf --case 2026-117 --examiner "A. Byron" --notes request.txt

        facestream report result --pdf --track 3 7 --out tracks.pdf --paper letter

    Parameters
    ----------
    directory
        Output directory of the run.
    pdf
        Write a PDF for a reader who has never seen the tool.
    out
        The page or the document; report.html in the directory, or DIRECTORY.pdf beside it, by default.
    track
        Only these tracks, in this order: numbers, or stream/number.
    stream
        Their stream, if several streams have that number.
    case
        Number of the case, shown at the head of each page.
    notes
        A text for the first page, or a file (UTF-8) that holds it.
    examiner
        Who answers for the document.
    paper
        a4 or letter.
    two_person
        A name counts once two people have confirmed it (`facestream people`); until then its page
        says "Not confirmed".
    video
        For the page: which recordings to play; auto: those near it that a browser can play.
    photographs
        For the page: folder of the pictures people were enrolled with, to show beside their tracks.
    gallery
        The gallery that knows these pictures; the run's by default.
    gallery_key
        File with the key of that gallery, if it is encrypted; the run's by default.
    overwrite
        Replace an existing file.
    json
        Print one line of JSON about what was written, and nothing else.
    """
    if pdf:
        if video or photographs or gallery or gallery_key:
            raise UsageError("--video, --photographs, --gallery and --gallery-key are for the page: leave --pdf out")
        write_document(
            directory, out, tracks=track, stream=stream, case=case, notes=notes, examiner=examiner, paper=paper,
            two_person=two_person, overwrite=overwrite,
            as_json=json, now=datetime.now().astimezone(),
        )  # fmt: skip
        return
    if track or stream or case or notes or examiner or two_person or paper != "a4":
        raise UsageError(
            "--track, --stream, --case, --notes, --examiner, --two-person and --paper are for a document: add --pdf"
        )
    place = GalleryPlace(gallery, gallery_key)
    write_page(directory, out, video=video, photographs=photographs, gallery=place, overwrite=overwrite, as_json=json)
