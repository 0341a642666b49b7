"""Which gallery it was, exactly."""

from __future__ import annotations

import msgspec


class GalleryVersion(msgspec.Struct, frozen=True):
    """Exactly what a score was compared with."""

    epoch: str
    """16 hexadecimal digits: another one where the gallery's file was made anew, or a copy took its place. Within one epoch a
    higher ``revision`` is later."""
    revision: int
    """Counts the changes of the gallery; the same number as ``gallery_version``."""
    digest: str
    """32 hexadecimal digits of what decides: the names, vectors and negatives of the run's embedder. Equal digests are equal
    people, whatever file they are from."""
