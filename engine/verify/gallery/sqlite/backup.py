"""A copy of a gallery's file that is the same gallery: what readers elsewhere are given while the first goes on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.errors import GalleryError
from engine.verify.gallery.sqlite.cipher import GalleryKey, connect, driver_of
from engine.verify.gallery.sqlite.epoch import beside
from engine.whole_file import replacing

_BUSY_SECONDS = 5.0


def back_up(source: Path, copy: Path, key: GalleryKey | None) -> None:
    """Write a file as it is at one moment, and the small one beside it: with that the copy is the same gallery, by its epoch.

    Args:
        source: of the gallery.
        copy: in a folder that exists.
        key: of both.

    Raises:
        GalleryError: one of the two cannot be read or written.
        MissingRuntimeError: see ``driver_of``.
    """
    try:
        noted = beside(source).read_bytes() if beside(source).exists() else b""  # before the gallery, which may go on
        with replacing(copy) as unfinished, closing(connect(unfinished.absolute().as_uri(), key, _BUSY_SECONDS)) as into:
            with closing(connect(f"{source.absolute().as_uri()}?mode=ro", key, _BUSY_SECONDS)) as original:
                original.backup(into)
            into.execute("PRAGMA journal_mode=DELETE")  # a write-ahead log needs memory that machines do not share
        if noted:
            beside(copy).write_bytes(noted)
    except (OSError, driver_of(key).Error) as error:
        raise GalleryError(f"the gallery {source} cannot be copied to {copy} ({error}): check both disks") from error
