"""The interfaces of a gallery for the rest of the engine: ``Gallery`` is a SQLite file, ``PostgresGallery`` a database shared
by several machines. Each change has the next ``revision`` of an ``epoch``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.contracts.frames import Float32
from engine.verify.gallery.records import Enrolled, Held, Identity, Kept
from engine.verify.gallery.snapshot import Snapshot


class GalleryNews(Protocol):
    """Follows a store for one embedder."""

    @property
    def where(self) -> str:
        """Name of the store in messages, such as its path."""
        ...

    def news(self) -> Snapshot | None:
        """Return the people if anything has changed since the last successful call, and always the first time; otherwise None.
        It is called before every batch of faces and takes microseconds if nothing has changed.

        Raises:
            GalleryError: the store cannot be read now.
        """
        ...

    def close(self) -> None:
        """Stop following; ``news`` must not be called afterwards."""
        ...


class GalleryReader(Protocol):
    """Reads a store. Every method raises ``GalleryError`` if it cannot be read."""

    def follow(self, embedder_sha256: str) -> GalleryNews:
        """Return a follower of changes; it outlives the reader."""
        ...

    def snapshot(self, embedder_sha256: str) -> Snapshot:
        """Return everything that vectors of one embedder may be compared with, from one moment."""
        ...

    def holder(self, picture_sha256: str, embedder_sha256: str) -> Enrolled | None:
        """Return the person for whom a picture is enrolled with an embedder; None if it is not."""
        ...

    def list(self) -> list[Identity]:
        """Return everyone, by name."""
        ...

    def pictures(self, name: str = "") -> Sequence[Kept]:
        """Return the enrolled pictures, of everybody or of one person."""
        ...

    def quarantined(self, name: str = "") -> Sequence[Kept]:
        """Return the quarantined pictures of everybody or of one person."""
        ...

    def portraits(self) -> dict[tuple[str, str], bytes]:
        """Return portraits of the quarantined pictures as small JPEGs, by person and SHA-256."""
        ...

    def negatives(self) -> dict[str, int]:
        """Return by person how many tracks were marked as not showing them."""
        ...


class GalleryWriter(GalleryReader, Protocol):
    """Changes a store. Each method succeeds completely or not at all; when it returns, the change is durable and every reader
    sees it.
    """

    def add(
        self,
        identity: str,
        embedding: Float32,
        *,
        embedder: str,
        embedder_sha256: str,
        runtime: str,
        source_name: str,
        picture_sha256: str,
        quality: float,
        doubt: str = "",
        apart: bool = False,
        portrait: bytes = b"",
    ) -> None:
        """Enrol one picture, or quarantine it."""
        ...

    def remove(self, name: str) -> Held:
        """Remove a person with everything stored about them; return how many pictures there were."""
        ...

    def remove_picture(self, name: str, picture_sha256: str) -> Sequence[Kept]:
        """Remove one picture of a person; return what was removed."""
        ...

    def release(self, picture_sha256: str, name: str = "") -> Kept:
        """Enrol a quarantined picture."""
        ...

    def drop(self, picture_sha256: str, name: str = "") -> Kept:
        """Delete a quarantined picture."""
        ...

    def rename(self, name: str, new: str, *, join: bool = False) -> Held:
        """Give a person another name, or join two; return how many pictures there were."""
        ...

    def keep_negatives(self, name: str, embedder_sha256: str, source: str, vectors: Sequence[Float32]) -> int:
        """Store faces that do not show a person; return how many are new."""
        ...
