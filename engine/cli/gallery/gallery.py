"""``facestream gallery``: shows and changes who is enrolled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from engine.cli.gallery.check import check
from engine.cli.gallery.copy import copy
from engine.cli.gallery.encryption import decrypt, encrypt, new_key
from engine.cli.gallery.option import USERS_OWN, GalleryOption
from engine.cli.gallery.pictures import (
    SHOWN_DIGITS,
    drop,
    existing,
    known_name,
    pictures,
    quarantine,
    release,
)
from engine.cli.output.json_lines import JsonOption, as_json, write_lines
from engine.cli.output.long_work import check_place
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.plain import plain
from engine.cli.output.tables import Column, Rows
from engine.errors import FacestreamError, UsageError
from engine.privacy.removal import remove_picture
from engine.verify.gallery.joining import joining_words, same_name_words
from engine.verify.gallery.opening import open_gallery
from engine.verify.gallery.person_name import person_name, shown
from engine.verify.gallery.records import Held, Identity, unrecorded
from engine.verify.gallery.stored import StoredGallery
from engine.whole_file import write_private
from engine.words.numbers import count
from engine.words.times import to_the_minute

gallery_app = App(
    name="gallery", help="List, rename, remove or export enrolled people.", help_epilogue="", help_format="plaintext"
)
for _command in (pictures, quarantine, release, drop, check, copy, encrypt, decrypt, new_key):
    gallery_app.command(_command)


@gallery_app.command(name="list")
def list_people(*, gallery: GalleryOption = USERS_OWN, json: JsonOption = False) -> int:
    """Show who is enrolled.

    For example:

        facestream gallery list

        facestream gallery list --gallery entrance.sqlite
    """
    with open_gallery(gallery, read_only=True) as opened:
        people, apart = opened.list(), sum(held.apart for held in opened.people().values())
        if json:
            write_lines(people)
            return 0
        console = Console()
        if people:
            console.print(_people_table(people))
        beside = f"; {count(apart, 'picture is', 'pictures are')} set apart (`facestream gallery quarantine`)" if apart else ""
        said = f"{count(len(people), 'person', 'people')} in {opened.where}{beside}"
        console.print(said, highlight=False, markup=False, soft_wrap=True)
        if sentence := unrecorded(people):
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    return 0


@gallery_app.command
def remove(
    name: Annotated[str, Parameter(help="As `gallery list` shows it.")],
    /,
    *,
    picture: Annotated[str, Parameter(help="Only this picture, as `gallery pictures` shows it.")] = "",
    receipt: Annotated[
        Path | None, Parameter(help="For a picture: record its removal in this file (.json), without the name.")
    ] = None,
    overwrite: OverwriteOption = False,
    gallery: GalleryOption = USERS_OWN,
) -> int:
    """Remove a person, or one of their pictures; a running engine stops naming them from the next face on.

    For example:

        facestream gallery remove "Ada Lovelace"

        facestream gallery remove "Ada Lovelace" --picture 3fa91c22 --receipt removal.json
    """
    known = known_name(name, gallery)
    if receipt is not None and not picture:
        raise UsageError("--receipt goes with --picture: of a whole person `facestream erase` writes one")
    check_place(receipt, overwrite=overwrite)
    check_outside_runs(receipt)
    with existing(gallery) as opened:
        if picture:
            return _remove_picture(opened, known, picture, receipt, overwrite=overwrite)
        removed = _there(opened.remove(known), known)
    Console().print(f"removed {plain(known)} ({removed.words})", highlight=False, markup=False, soft_wrap=True)
    return 0


def _remove_picture(opened: StoredGallery, known: str, picture: str, receipt: Path | None, *, overwrite: bool) -> int:
    removal = remove_picture(opened, known, picture)
    sha256 = removal.pictures[0].picture_sha256
    left = "" if removal.person_is_left else f"; it was the last one of {shown(known)}"
    if removal.person_is_left and not opened.pictures(known):
        left = "; it was the last one that was enrolled, others are set apart (`facestream gallery quarantine`)"
    said = f"removed the picture {sha256[:SHOWN_DIGITS]} of {shown(known)}{left}"
    Console().print(plain(said), highlight=False, markup=False, soft_wrap=True)
    if receipt is not None:
        content = msgspec.json.format(as_json(removal), indent=2) + b"\n"
        try:
            write_private(receipt, content, new=not overwrite)
        except OSError as error:
            raise FacestreamError(f"cannot write the receipt {receipt}: {error.strerror}; the picture is removed") from error
    return 0


@gallery_app.command
def rename(
    name: Annotated[str, Parameter(help="As `gallery list` shows it.")],
    new: Annotated[str, Parameter(help="The new name.")],
    /,
    *,
    join: Annotated[bool, Parameter(negative=(), help="Somebody already has the new name, and both are one person.")] = False,
    gallery: GalleryOption = USERS_OWN,
) -> int:
    """Give a person another name, or join two names of one person.

    For example:

        facestream gallery rename visitor-7 "Ada Lovelace"

        facestream gallery rename visitor-9 "Ada Lovelace" --join
    """
    known, new = known_name(name, gallery), person_name(new)
    with existing(gallery) as opened:
        before = opened.people()
        renamed = _there(opened.rename(known, new, join=join), known)
    said = same_name_words(known, new) or f"renamed {shown(known)} to {shown(new)} ({renamed.words})"
    Console().print(plain(said + joining_words(before, known, new)), highlight=False, markup=False, soft_wrap=True)
    return 0


def _there(held: Held, known: str) -> Held:
    """Return what a person had, who may have been removed since their name was looked up.

    Raises:
        FacestreamError: they have been.
    """
    if not held.total:
        raise FacestreamError(f"somebody else has just removed or renamed {shown(known)}: nothing was done")
    return held


@gallery_app.command
def export(
    path: Annotated[Path, Parameter(help="File to write, .jsonl or .csv.")],
    /,
    *,
    embeddings: Annotated[bool, Parameter(negative=(), help="Include the vectors, which are biometric data.")] = False,
    overwrite: OverwriteOption = False,
    gallery: GalleryOption = USERS_OWN,
) -> int:
    """Write one line for each enrolled picture.

    For example:

        facestream gallery export people.csv

        facestream gallery export people.jsonl --embeddings
    """
    check_place(path, overwrite=overwrite)
    check_outside_runs(path)
    with open_gallery(gallery, read_only=True) as opened:
        rows = opened.export(path, embeddings)
    Console().print(f"wrote {count(rows, 'picture', 'pictures')} to {path}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _people_table(people: Sequence[Identity]) -> Rows:
    has_doubts = any(person.in_doubt for person in people)
    figures = ("pictures", *(("forced",) if has_doubts else ()), "quality")
    columns = [
        Column("name"),
        *(Column(title, "number") for title in figures),
        Column("embedder"),
        Column("enrolled (UTC)", "word"),
    ]
    rows = [
        (
            plain(shown(person.name)),
            str(person.pictures),
            *([str(person.in_doubt or "")] if has_doubts else []),
            f"{person.best_quality:.2f}",
            ", ".join(person.embedders),
            to_the_minute(person.last_enrolled_at),
        )
        for person in people
    ]
    return Rows(columns, rows)
