"""``facestream gallery copy``: from a file to a database, and back."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from engine.cli.json_lines import JsonOption, write_lines
from engine.cli.saying import say
from engine.verify.gallery.copy import copy_gallery
from engine.verify.gallery.opening import open_gallery
from engine.words.numbers import count

_Place = Annotated[str, Parameter(help="Gallery file, or postgresql://USER@HOST/NAME.")]


def copy(source: _Place, target: _Place, /, *, json: JsonOption = False) -> int:
    """Copy a gallery to another place, which must be empty: all that it holds, or nothing.

    Afterwards the digests of what both decide by are compared.

    For example:

        facestream gallery copy people.sqlite postgresql://facestream@db.example/faces

        facestream gallery copy "postgresql://facestream@db.example/faces?tenant=north" north.sqlite
    """
    with open_gallery(source, read_only=True) as old, open_gallery(target) as new:
        copied, where = copy_gallery(old, new), new.where
    if json:
        write_lines([copied])
        return 0
    parts = [count(copied.pictures, "picture"), f"{count(copied.apart, 'picture')} set apart"]
    parts.append(f"{count(copied.negatives, 'face')} kept as not of somebody")
    say(f"copied {', '.join(parts)} to {where}")
    for embedder, digest in copied.digests.items():
        say(f"embedder {embedder[:8]}: both have the digest {digest}")
    return 0
