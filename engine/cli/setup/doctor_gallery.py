"""What ``facestream doctor`` says about the gallery."""

from __future__ import annotations

import os

from engine.cli.setup.doctor_models import Says
from engine.contracts.gallery import GalleryPlace
from engine.errors import GalleryError
from engine.words.numbers import count


def say_gallery(where: GalleryPlace) -> Says:
    """The gallery: the user's own, or the one that is named."""
    from engine.verify.gallery.opening import gallery_file, gallery_words

    file = gallery_file(where)
    if file is None:
        yield from _say_database(where)
        return
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if not os.access(file if file.exists() else folder, os.W_OK):
        yield "broken", f"the gallery {file} cannot be written: choose another with verify.gallery"
    elif not file.exists():
        yield "ok", f"the gallery {file} will be made at the first `facestream enrol`"
    else:
        yield from _say_people(where, gallery_words(where))


def _say_people(where: GalleryPlace, words: str) -> Says:
    from engine.verify.gallery.opening import open_gallery
    from engine.verify.gallery.records import unrecorded

    with open_gallery(where, read_only=True) as gallery:
        people = gallery.list()
    encrypted = ", encrypted" if where.key_file else ""
    yield "ok", f"the gallery {words} holds {count(len(people), 'person', 'people')}{encrypted}"
    if sentence := unrecorded(people):
        yield "optional", sentence


def _say_database(where: GalleryPlace) -> Says:
    from engine.verify.gallery.opening import gallery_words, kept_here
    from engine.words.times import utc_words

    try:
        yield from _say_people(where, gallery_words(where))
    except GalleryError as error:
        yield "broken", f"{error}"
    if kept_ns := kept_here(where):
        yield "ok", f"this machine keeps what it held at {utc_words(kept_ns)}: while the database is away names are of then"
    else:
        yield "optional", "this machine keeps no copy of it yet: a first run does, and needs the database for that"
