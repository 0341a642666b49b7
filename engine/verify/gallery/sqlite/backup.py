"""Copies a gallery's file as the same gallery, for readers elsewhere while the original is in use."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.errors import GalleryError
from engine.verify.gallery.sqlite.cipher import GalleryKey, connect, driver_of
from engine.verify.gallery.sqlite.epoch import beside
from engine.whole_file import replacing

_BUSY_SECONDS = 5.0


def back_up(source: Path, copy: Path, key: GalleryKey | None) -> None:
    """Copy a gallery's file as it is at one moment, with the small file beside it, so that the copy has the same epoch.

    Args:
        source: file of the gallery.
        copy: file in an existing folder.
        key: of both files.

    Raises:
        GalleryError: one of the two cannot be read or written.
        MissingRuntimeError: see ``driver_of``.
    """
    try:
        # before the gallery, which may change meanwhile
        noted = beside(source).read_bytes() if beside(source).exists() else b""
        with replacing(copy) as unfinished, closing(connect(unfinished.absolute().as_uri(), key, _BUSY_SECONDS)) as into:
            with closing(connect(f"{source.absolute().as_uri()}?mode=ro", key, _BUSY_SECONDS)) as original:
                original.backup(into)
            into.execute("PRAGMA journal_mode=DELETE")  # a write-ahead log needs shared memory, which other machines lack
        if noted:
            beside(copy).write_bytes(noted)
    except (OSError, driver_of(key).Error) as error:
        raise GalleryError(f"the gallery {source} cannot be copied to {copy} ({error}): check both disks") from error
