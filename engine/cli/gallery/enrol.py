"""``facestream enrol``: adds a person's pictures to the gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from engine.archive.claim import check_writable
from engine.cli.gallery.option import USERS_OWN, GalleryOption
from engine.cli.output.json_lines import write_lines
from engine.cli.output.long_work import check_place
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.share_bar import share_bar
from engine.cli.output.tables import Column, Rows
from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.detect.catalog import check_detector, open_detector
from engine.detect.second_look import SecondLook, open_second_look
from engine.enrolment.enrol import EnrolResult, enrol_pictures
from engine.enrolment.sheet import write_sheet
from engine.errors import UsageError
from engine.models import find_model
from engine.source.picture_files import picture_files
from engine.verify.embedder import open_embedder
from engine.verify.gallery.opening import gallery_file, is_there, open_gallery
from engine.verify.gallery.person_name import alike, person_name
from engine.words.numbers import count
from engine.words.text import readable


def enrol(
    name: Annotated[str, Parameter(help="Who is in the pictures.")],
    /,
    *images: Annotated[
        Path, Parameter(required=True, help="Pictures that show this person and nobody else, or folders of them.")
    ],
    gallery: GalleryOption = USERS_OWN,
    detector: Annotated[str, Parameter(help="auto, grey, yunet, dlib-hog, scrfd:PACK, or a model file.")] = "auto",
    embedder: Annotated[str, Parameter(help="dlib, insightface:PACK, or an ONNX file; the same as for run.")] = "dlib",
    force: Annotated[
        bool, Parameter(negative=(), help="Enrol even pictures that would be set apart; the reason is kept.")
    ] = False,
    sheet: Annotated[
        Path | None, Parameter(help="Also write a page (.html) that shows the pictures that were not enrolled, and why.")
    ] = None,
    overwrite: Annotated[bool, Parameter(negative=(), help="Replace an existing --sheet.")] = False,
    json: Annotated[bool, Parameter(negative=(), help="Print one object for programs instead of the table.")] = False,
) -> int:
    """Add pictures of a person to the gallery.

    JPEG, PNG, HEIC, AVIF, WebP, TIFF and more. A picture is refused if it shows nobody, several people, or a face that is
    too small, too blurred or turned too far. It is set apart (`facestream gallery quarantine`) if it looks like somebody else
    or unlike the person's other pictures, or shows little detail for its size (blurred, or enlarged) or compression blocks.
    The others are still enrolled. A picture on its side or upside down is turned. The pictures themselves are not kept,
    only a vector of each.

    For example:

        facestream enrol "Ada Lovelace" ada-1.jpg ada-2.heic

        facestream enrol visitor-7 photos/visitor-7 --gallery entrance.sqlite

    Exit code 1: a picture was refused or set apart.
    """
    name = person_name(name)
    check_place(sheet, overwrite=overwrite, read=images)
    check_outside_runs(sheet)
    missing: list[EnrolResult] = []
    pictures = picture_files(images, lambda path, reason: missing.append(EnrolResult(path, "refused", reason)))
    is_new = not _check_before(gallery, detector)
    model = open_embedder(VerifyConfig(embedder=embedder), find_model)
    if model is None:
        raise UsageError("--embedder none makes no vectors: choose another one to enrol with")
    with (
        closing(model),
        closing(open_detector(DetectConfig(detector=detector), find_model)) as finder,
        closing(_second_look()) as second_look,
        open_gallery(gallery) as opened,
    ):
        namesakes = [person.name for person in opened.list() if person.name != name and alike(person.name, name)]
        with _progress(name, len(pictures)) as progress:
            found = enrol_pictures(
                name, pictures, finder, model, opened, force=force, second_look=second_look, progress=progress
            )
        results = found + missing
        if sheet is not None:
            write_sheet(sheet, name, results)
        if json:
            _tell_programs(name, results, opened.where, namesakes, is_new=is_new)
        else:
            _tell_people(name, results, opened.where, namesakes)
            if is_new:
                people = count(len(opened.list()), "person", "people")
                say(f"{opened.where} was not there: it is a new gallery, of {people}", aside=True)
    return 1 if any(result.outcome in ("refused", "quarantined") for result in results) else 0


@contextmanager
def _progress(name: str, pictures: int) -> Iterator[Callable[[float], None]]:
    """Show how many pictures were looked at, and say what an interruption has left."""
    share = 0.0
    with share_bar(f"{count(pictures, 'picture')} of {plain(name)}") as show:

        def tell(looked_at: float) -> None:
            nonlocal share
            share = looked_at
            show(looked_at)

        try:
            yield tell
        except KeyboardInterrupt:
            listed = f"`facestream gallery pictures {quote(name)}` shows which"
            left = "nothing was enrolled" if share < 1 else f"some of the pictures may be enrolled: {listed}"
            say(f"interrupted: {left}", aside=True)
            raise


def _check_before(gallery: GalleryOption, detector: str) -> bool:
    """Refuse what cannot be used before models are loaded; nothing is made. Return whether the gallery is there already."""
    check_detector(DetectConfig(detector=detector))
    file = gallery_file(gallery)
    there = is_there(gallery)
    if file is None:
        return there  # the database has answered
    if there and file.stat().st_size:  # an empty file becomes a gallery
        open_gallery(gallery).close()
        return True
    check_writable(file.parent)
    return False


def _second_look() -> SecondLook:
    opened = open_second_look(DetectConfig(), find_model)
    assert opened is not None
    return opened


def _tell_programs(name: str, results: Sequence[EnrolResult], gallery: str, namesakes: Sequence[str], *, is_new: bool) -> None:
    # Paths need not be UTF-8, JSON must be.
    told = [replace(result, reason=readable(result.reason), remedy=readable(result.remedy)) for result in results]
    pictures = [msgspec.to_builtins(result, enc_hook=readable) for result in told]
    said = {"name": name, "gallery": readable(gallery), "new_gallery": is_new, "alike": namesakes, "pictures": pictures}
    write_lines([said])


def _tell_people(name: str, results: Sequence[EnrolResult], gallery: str, namesakes: Sequence[str]) -> None:
    refused = all(result.outcome == "refused" for result in results)
    say(f"no picture of {name} was put into {gallery}" if refused else f"{name} in {gallery}")
    Console(highlight=False).print(_table(results))
    for result in results:
        if result.sentence:
            say(result.sentence)
    for other in () if refused else namesakes:
        say(f"{other} is in the gallery, too: if both are one, `facestream gallery rename --join` joins them")


def _table(results: Sequence[EnrolResult]) -> Rows:
    figures = ("face px", "sharpness", "frontal", "quality")
    return Rows([Column("picture"), Column("outcome", "word"), *(Column(title, "number") for title in figures)], _rows(results))


def _rows(results: Sequence[EnrolResult]) -> Iterator[list[str | Text]]:
    for result in results:
        quality = result.quality
        figures = (
            [f"{quality.size_px:.0f}", f"{quality.sharpness:.2f}", f"{quality.frontal:.2f}", f"{quality.score:.2f}"]
            if quality
            else [""] * 4
        )
        colour = {"enrolled": "green", "duplicate": "yellow", "quarantined": "magenta", "refused": "red"}[result.outcome]
        yield [result.path.name, Text(result.outcome, colour), *figures]
