"""``facestream gallery copy``: from a file to a database, and back."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.saying import say
from engine.contracts.gallery import GalleryPlace
from engine.errors import UsageError
from engine.verify.gallery.copy import Copied, copy_gallery
from engine.verify.gallery.opening import gallery_file, open_gallery
from engine.words.numbers import count

_Place = Annotated[str, Parameter(help="Gallery file, or postgresql://USER@HOST/NAME.")]
_Key = Annotated[str, Parameter(help="File with the key, if the gallery file is or shall be encrypted.")]


def copy(source: _Place, target: _Place, /, *, gallery_key: _Key = "", json: JsonOption = False) -> int:
    """Copy a gallery to another place, which must be empty: everything, or nothing.

    Afterwards the digests of both are compared.

    For example:

        facestream gallery copy people.sqlite postgresql://facestream@db.example/faces

        facestream gallery copy "postgresql://facestream@db.example/faces?tenant=north" north.sqlite
    """
    files = [gallery_file(place) is not None for place in (source, target)]
    if gallery_key and all(files):
        raise UsageError("--gallery-key opens one of two files: use `facestream gallery encrypt` or `decrypt`")
    old, new = (
        GalleryPlace(place, gallery_key if is_file or not any(files) else "")
        for place, is_file in zip((source, target), files, strict=True)
    )
    with open_gallery(old, read_only=True) as opened, open_gallery(new) as into:
        copied, where = copy_gallery(opened, into), into.where
    if json:
        write_lines([copied])
        return 0
    say(f"copied {copied_words(copied)} to {where}")
    for embedder, digest in copied.digests.items():
        say(f"embedder {embedder[:8]}: both have the digest {digest}")
    return 0


def copied_words(copied: Copied) -> str:
    """Return what was copied, in words."""
    parts = [count(copied.pictures, "picture"), f"{count(copied.apart, 'picture')} set apart"]
    parts.append(f"{count(copied.negatives, 'face')} marked as not of somebody")
    return ", ".join(parts)
