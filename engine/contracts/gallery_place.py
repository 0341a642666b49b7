"""Which gallery is meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GalleryPlace:
    """Where a gallery is, and what opens it."""

    where: str = ""
    """A file, or ``postgresql://USER@HOST/NAME``; empty: the user's own."""
    key_file: str = ""
    """The file that holds the key of an encrypted file; empty: it is not encrypted."""
