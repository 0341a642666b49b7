"""Which gallery it was, exactly."""

from __future__ import annotations

import msgspec


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
