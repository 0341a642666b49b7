"""What the rest of the engine needs of a store of people, whatever keeps it: ``Gallery`` is a SQLite file,
``PostgresGallery`` a database that several machines share. Each change has the next ``revision`` of one ``epoch``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.contracts.frames import Float32
from engine.verify.gallery.records import Enrolled, Identity, Kept
from engine.verify.gallery.snapshot import Snapshot


class GalleryNews(Protocol):
    """Follows a store for one embedder."""

    @property
    def where(self) -> str:
        """What messages call the store, as its path."""
        ...

    def news(self) -> Snapshot | None:
        """Return the people where there is something new since the last successful call; the first time, always. It is asked
        before every batch of faces: where nothing is new it takes microseconds.

        Raises:
            GalleryError: the store cannot be read now.
        """
        ...

    def close(self) -> None:
        """Stop following; ``news`` may not be called after it."""
        ...


class GalleryReader(Protocol):
    """Looks at a store. Every method raises ``GalleryError`` where it cannot be read."""

    def follow(self, embedder_sha256: str) -> GalleryNews:
        """Return what tells of changes; it outlives the reader."""
        ...

    def snapshot(self, embedder_sha256: str) -> Snapshot:
        """Return everything that vectors of one embedder may be compared with, from one moment."""
        ...

    def holder(self, picture_sha256: str, embedder_sha256: str) -> Enrolled | None:
        """Return whom a picture is enrolled for with an embedder; None if it is not."""
        ...

    def list(self) -> list[Identity]:
        """Return everyone, by name."""
        ...

    def pictures(self, name: str = "") -> Sequence[Kept]:
        """Return the enrolled pictures, of everybody or of one person."""
        ...

    def quarantined(self, name: str = "") -> Sequence[Kept]:
        """Return the pictures that were set apart, of everybody or of one person."""
        ...

    def portraits(self) -> dict[tuple[str, str], bytes]:
        """Return small JPEGs of the faces of the pictures that were set apart, by person and SHA-256."""
        ...

    def negatives(self) -> dict[str, int]:
        """Return by person how many tracks were marked as not them."""
        ...


class GalleryWriter(GalleryReader, Protocol):
    """Changes a store: each method all or nothing, seen by every reader when it returns, and lost by no crash after."""

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
        """Enrol one picture, or set it apart."""
        ...

    def remove(self, name: str) -> int:
        """Take a person out with all that is theirs; return how many pictures there were."""
        ...

    def remove_picture(self, name: str, picture_sha256: str) -> Sequence[Kept]:
        """Take one picture of a person out; return what went."""
        ...

    def release(self, picture_sha256: str, name: str = "") -> Kept:
        """Enrol a picture that was set apart."""
        ...

    def drop(self, picture_sha256: str, name: str = "") -> Kept:
        """Forget a picture that was set apart."""
        ...

    def rename(self, name: str, new: str, *, join: bool = False) -> int:
        """Give a person another name, or join two; return how many pictures there were."""
        ...

    def keep_negatives(self, name: str, embedder_sha256: str, source: str, vectors: Sequence[Float32]) -> int:
        """Keep faces that are not of a person; return how many are new."""
        ...
