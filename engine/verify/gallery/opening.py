"""Opens every kind of gallery: the kind of store is decided here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol

from engine.contracts.gallery import GalleryPlace
from engine.errors import ConfigError, FacestreamError, GalleryError, MissingGalleryError, OlderGalleryError
from engine.postgres.address import is_postgres
from engine.verify.gallery.sqlite.cipher import GalleryKey, read_key
from engine.verify.gallery.sqlite.gallery import Gallery, default_gallery_path
from engine.verify.gallery.store import GalleryNews
from engine.verify.gallery.stored import StoredGallery

Where = str | Path | GalleryPlace
"""A gallery as named in ``verify.gallery`` and ``--gallery``, alone or with its key."""


class Followed(Protocol):
    """What a run needs of a gallery."""

    def follow(self, embedder_sha256: str) -> GalleryNews:
        """See ``GalleryReader``."""
        ...


def gallery_file(where: Where) -> Path | None:
    """Return the file of a gallery; None: it is in a database.

    Raises:
        ConfigError: it is an address of an unknown kind.
    """
    where = _named(where)
    named = str(where)
    if is_postgres(named):
        return None
    if isinstance(where, str) and "://" in named:
        raise ConfigError(f"{named} is not a gallery: name a file, or a database as postgresql://USER@HOST/NAME")
    return Path(named).expanduser() if named else default_gallery_path()


def key_of(where: Where) -> GalleryKey | None:
    """Return the key of a gallery's file; None: no key was given.

    Raises:
        ConfigError: the key cannot be read or is invalid, or the gallery is in a database, which has no key.
    """
    if not isinstance(where, GalleryPlace) or not where.key_file:
        return None
    if gallery_file(where) is None:
        raise ConfigError(
            f"the gallery {gallery_words(where)} is in a database, and a key opens a file: leave the key out, and encrypt the "
            "disk of the database"
        )
    return read_key(Path(where.key_file))


def gallery_words(where: Where) -> str:
    """Return the name of a gallery for messages, without a password.

    Raises:
        ConfigError: it is an address that cannot be parsed.
    """
    if (file := gallery_file(where)) is not None:
        return str(file)
    from engine.verify.gallery.postgres.address import address_of

    return address_of(str(_named(where))).where


def open_gallery(where: Where, *, read_only: bool = False) -> StoredGallery:
    """Open a gallery; create it if it does not exist, unless it is only read.

    Args:
        where: file or address of the gallery.
        read_only: never write; it must exist.

    Raises:
        ConfigError: it is an address that cannot be parsed, or its key is refused, see ``key_of``.
        GalleryError: it cannot be created or opened, is not a gallery, or has another key.
        MissingGalleryError: it is only read, and does not exist.
        MissingRuntimeError: it is in a database and psycopg is not installed, or it is encrypted and SQLCipher is not
            installed.
    """
    key = key_of(where)
    if (file := gallery_file(where)) is not None:
        return Gallery(file, read_only, key=key)
    from engine.verify.gallery.postgres.address import address_of
    from engine.verify.gallery.postgres.gallery import PostgresGallery

    return PostgresGallery(address_of(str(_named(where))), default_gallery_path().parent, read_only)


def is_there(where: Where) -> bool:
    """Whether a gallery exists, of any version; nothing is created.

    Raises:
        GalleryError: its database does not answer, or refuses.
    """
    if (file := gallery_file(where)) is not None:
        return file.exists()
    try:
        open_gallery(where, read_only=True).close()
    except MissingGalleryError:
        return False
    except OlderGalleryError:
        return True
    return True


def is_empty(where: Where = "") -> bool:
    """Whether a gallery is empty or does not exist; False if that cannot be determined."""
    with suppress(FacestreamError):
        if not is_there(where):
            return True
        with open_gallery(where, read_only=True) as gallery:
            return gallery.is_empty()
    return False


def kept_here(where: Where) -> int:
    """Return when this machine's copy of a gallery in a database was last known to be current (Unix, ns); 0: it has none."""
    from engine.verify.gallery.postgres.address import address_of
    from engine.verify.gallery.postgres.cache import seen_at

    return seen_at(address_of(str(_named(where))).cache(default_gallery_path().parent))


def gallery_to_follow(where: Where, max_age: float = 0.0) -> Followed:
    """Return a gallery to compare faces with.

    A file is created if it does not exist, and otherwise not modified: one of an older format stays readable for the version
    that wrote it, and a read-only disk is enough. A database may be unreachable: this machine's copy of it is used then, see
    ``PostgresNews``.

    Args:
        where: file or address of the gallery.
        max_age: see ``PostgresNews``.

    Raises:
        ConfigError, GalleryError,
        MissingRuntimeError: see ``open_gallery``.
    """
    if gallery_file(where) is None:
        from engine.verify.gallery.postgres.address import address_of
        from engine.verify.gallery.postgres.gallery import PostgresToFollow

        with suppress(GalleryError):
            if not is_there(where):
                open_gallery(where).close()
        return PostgresToFollow(address_of(str(_named(where))), default_gallery_path().parent, max_age)
    try:
        gallery = open_gallery(where, read_only=True)
    except GalleryError:  # it does not exist, or is being created at this moment
        gallery = open_gallery(where)
    gallery.close()  # the follower opens it when there is something new
    return gallery


def _named(where: Where) -> str | Path:
    return where.where if isinstance(where, GalleryPlace) else where
