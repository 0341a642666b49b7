"""A gallery shared by several machines: a schema in a PostgreSQL database.

A change is one transaction and has the next revision of an epoch: writers take turns. When it returns, every reader of the
database sees it, and followers are notified at once, see ``engine.verify.gallery.postgres.news``.
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
    """A gallery whose database may be unreachable.

    Args:
        address: of the gallery.
        caches: folder of this machine's copies of the galleries that it follows.
        max_age: see ``PostgresNews``.
    """

    def __init__(self, address: Address, caches: Path, max_age: float = 0.0) -> None:
        self._address, self._caches, self._max_age = address, caches, max_age

    def follow(self, embedder_sha256: str) -> PostgresNews:
        """Return a follower of the gallery's changes."""
        return PostgresNews(self._address, self._address.cache(self._caches), embedder_sha256, self._max_age)


class _Tables(PostgresTables):
    """People who are removed from these tables are removed from this machine's copy, too."""

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
        except GalleryError:  # the followers create it again
            forget_cache(self._cache)


class PostgresGallery(StoredGallery):
    """An open gallery; created, with its tables, if it does not exist.

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
        """Return a follower of the changes; it outlives this object and failures of the database."""
        return self._to_follow.follow(embedder_sha256)
