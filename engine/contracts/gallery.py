"""Which gallery is meant, and which state of it was compared with."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True)
class GalleryPlace:
    """Where a gallery is, and what opens it."""

    where: str = ""
    """A file, or ``postgresql://USER@HOST/NAME``; empty: the user's own."""
    key_file: str = ""
    """The file that holds the key of an encrypted file; empty: it is not encrypted."""


class GalleryVersion(msgspec.Struct, frozen=True):
    """Exactly what a score was compared with."""

    epoch: str
    """16 hexadecimal digits, which differ once the gallery's file was made anew or replaced by a copy. Within one epoch a
    higher ``revision`` is later."""
    revision: int
    """The number of changes of the gallery, the same as ``gallery_version``."""
    digest: str
    """32 hexadecimal digits of what decides: the names, vectors and negatives of the run's embedder. Equal digests mean equal
    people, from whatever file."""
