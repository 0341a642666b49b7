"""Takes one picture out of a gallery, and says so in a receipt."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from engine import __version__
from engine.contracts.gallery import GalleryVersion
from engine.verify.gallery.stored import StoredGallery


class RemovedPicture(msgspec.Struct, kw_only=True):
    """One vector of the picture that went."""

    picture_sha256: str
    embedder: str
    embedder_sha256: str
    before: GalleryVersion | None
    """What faces were compared with, by this embedder."""
    after: GalleryVersion | None


class Removal(msgspec.Struct, kw_only=True):
    """The receipt. The name is not in it."""

    format: str = "facestream/removal/1"
    version: str = __version__
    at: str
    """UTC, ISO 8601: no score of a later gallery rests on the picture."""
    gallery: str
    pictures: list[RemovedPicture]
    person_is_left: bool
    """Whether the person has other pictures, enrolled or set apart."""


def remove_picture(gallery: StoredGallery, name: str, begins: str) -> Removal:
    """Take a picture of a person out, at once.

    Args:
        gallery: open for writing.
        name: of the person.
        begins: how the SHA-256 of the picture file begins.

    Raises:
        GalleryError: the gallery cannot be written, or the person has no such picture.
    """
    embedders = {one.embedder_sha256 for one in gallery.pictures(name)}
    before = {sha256: gallery.snapshot(sha256).gallery for sha256 in embedders}
    removed = gallery.remove_picture(name, begins)
    pictures = [
        RemovedPicture(
            picture_sha256=one.picture_sha256,
            embedder=one.embedder,
            embedder_sha256=one.embedder_sha256,
            before=before.get(one.embedder_sha256),
            after=gallery.snapshot(one.embedder_sha256).gallery,
        )
        for one in removed
    ]
    at, left = datetime.now(UTC).isoformat(timespec="seconds"), bool(gallery.pictures(name) or gallery.quarantined(name))
    return Removal(at=at, gallery=gallery.where, pictures=pictures, person_is_left=left)
