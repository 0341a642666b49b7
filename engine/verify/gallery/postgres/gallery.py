"""Who may be recognised, for several machines: a schema of a PostgreSQL database.

A change is one transaction, with the next revision of one epoch: writers take turns. It is seen by every reader of the database
when it returns, and told at once to all who follow, see ``engine.verify.gallery.postgres.news``.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.errors import GalleryError
from engine.verify.gallery.postgres.address import Address
from engine.verify.gallery.postgres.cache import CacheFile, forget_cache
from engine.verify.gallery.postgres.follow import bring_up_to_date
from engine.verify.gallery.postgres.news import PostgresNews
from engine.verify.gallery.postgres.tables import PostgresTables
from engine.verify.gallery.stored import StoredGallery


class PostgresToFollow:
    """A gallery that may be away.

    Args:
        address: of it.
        caches: folder of what this machine keeps of galleries that it follows.
        max_age: see ``PostgresNews``.
    """

    def __init__(self, address: Address, caches: Path, max_age: float = 0.0) -> None:
        self._address, self._caches, self._max_age = address, caches, max_age

    def follow(self, embedder_sha256: str) -> PostgresNews:
        """Return what tells of changes."""
        return PostgresNews(self._address, self._address.cache(self._caches), embedder_sha256, self._max_age)


class _Tables(PostgresTables):
    """Who was taken out of these is out of what this machine keeps of them, too."""

    def __init__(self, address: Address, read_only: bool, cache: Path) -> None:
        super().__init__(address, read_only)
        self._cache = cache

    def wipe(self) -> None:
        """See ``GalleryTables``."""
        super().wipe()
        if not self._cache.exists():
            return
        try:
            with closing(CacheFile(self._cache)) as cache:
                bring_up_to_date(self, cache)
        except GalleryError:  # whoever follows makes it anew
            forget_cache(self._cache)


class PostgresGallery(StoredGallery):
    """An open gallery; made, with its tables, when it does not exist.

    Args:
        address: of the gallery.
        caches: see ``PostgresToFollow``.
        read_only: never write; the gallery must exist.

    Raises:
        GalleryError: see ``PostgresTables``.
    """

    def __init__(self, address: Address, caches: Path, read_only: bool = False) -> None:
        super().__init__(_Tables(address, read_only, address.cache(caches)))
        self._to_follow = PostgresToFollow(address, caches)

    def follow(self, embedder_sha256: str) -> PostgresNews:
        """Return what tells of changes; it outlives this object, and the database."""
        return self._to_follow.follow(embedder_sha256)
