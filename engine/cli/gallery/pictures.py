"""``facestream gallery pictures``, ``quarantine``, ``release`` and ``drop``: single pictures of people."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from engine.cli.gallery.option import USERS_OWN, GalleryOption
from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.plain import plain
from engine.cli.output.tables import Column, Rows
from engine.errors import FacestreamError, OlderGalleryError
from engine.verify.gallery.opening import Where, open_gallery
from engine.verify.gallery.person_name import alike, shown, spelling
from engine.verify.gallery.records import Kept
from engine.verify.gallery.stored import StoredGallery
from engine.words.numbers import count
from engine.words.times import to_the_minute

PictureArgument = Annotated[str, Parameter(help="The beginning of its SHA-256, as the list shows it.")]
WhoseOption = Annotated[str, Parameter(help="The person it was set apart for, if there are several.")]
SHOWN_DIGITS = 8


def pictures(
    name: Annotated[str, Parameter(help="Only those of this person.")] = "",
    /,
    *,
    gallery: GalleryOption = USERS_OWN,
    json: JsonOption = False,
) -> int:
    """Show the enrolled pictures.

    For example:

        facestream gallery pictures "Ada Lovelace"
    """
    known = known_name(name, gallery) if name else ""
    with open_gallery(gallery, read_only=True) as opened:
        found = opened.pictures(known)
        if json:
            write_lines(found)
        else:
            say_list(found, f"enrolled in {opened.where}", "forced because it")
    return 0


def quarantine(*, gallery: GalleryOption = USERS_OWN, json: JsonOption = False) -> int:
    """Show the pictures that were set apart at enrolment, and why; nobody is compared with them.

    For example:

        facestream gallery quarantine
    """
    with open_gallery(gallery, read_only=True) as opened:
        found = opened.quarantined()
        if json:
            write_lines(found)
        else:
            say_list(found, f"set apart in {opened.where}", "it")
    return 0


def release(picture: PictureArgument, /, *, name: WhoseOption = "", gallery: GalleryOption = USERS_OWN) -> int:
    """Enrol a picture that was set apart: it does show this person.

    For example:

        facestream gallery release 3fa91c22
    """
    with existing(gallery) as opened:
        _say(f"enrolled {_words(opened.release(picture, name))}")
    return 0


def drop(picture: PictureArgument, /, *, name: WhoseOption = "", gallery: GalleryOption = USERS_OWN) -> int:
    """Forget a picture that was set apart.

    For example:

        facestream gallery drop 3fa91c22
    """
    with existing(gallery) as opened:
        _say(f"dropped {_words(opened.drop(picture, name))}")
    return 0


def existing(gallery: Where) -> StoredGallery:
    """Open a gallery to change it; one that is not there is not made.

    Raises:
        GalleryError: it is not there, or cannot be written.
    """
    with suppress(OlderGalleryError):  # it is brought forward then
        open_gallery(gallery, read_only=True).close()
    return open_gallery(gallery)


def known_name(name: str, gallery: Where) -> str:
    """Return how a person's name is written in the gallery, who may be there with pictures that were set apart alone.

    Raises:
        FacestreamError: nobody is called so.
        GalleryError: it cannot be read.
    """
    with open_gallery(gallery, read_only=True) as opened:
        names = opened.people()
    if (known := spelling(name)) in names:
        return known
    near = [other for other in names if alike(other, name)]
    advice = f"did you mean {' or '.join(near)}?" if near else "see `facestream gallery list`"
    raise FacestreamError(f"nobody in the gallery is called {known!r}: {advice}")


def _words(one: Kept) -> str:
    return f"{one.picture_sha256[:SHOWN_DIGITS]} ({one.source_name or 'no file name'}) of {shown(one.identity)}"


def _say(sentence: str) -> None:
    Console().print(plain(sentence), highlight=False, markup=False, soft_wrap=True)


def say_list(found: Sequence[Kept], where: str, before_doubt: str) -> None:
    if found:
        columns = [Column("picture", "word"), Column("name"), Column("file"), Column(before_doubt, "sentence")]
        columns += [Column("quality", "number"), Column("when (UTC)", "word")]
        Console().print(Rows(columns, map(_row, found)))
    _say(f"{count(len(found), 'picture')} {where}")


def _row(one: Kept) -> list[str]:
    words = (plain(text) for text in (shown(one.identity), one.source_name, one.doubt))
    return [one.picture_sha256[:SHOWN_DIGITS], *words, f"{one.quality:.2f}", to_the_minute(one.at)]
