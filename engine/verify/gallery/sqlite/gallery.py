"""The gallery as a SQLite file with one row for each enrolled picture.

Writers and readers may be different processes (write-ahead log): a reader sees a commit at its next call, and notices it by
``version``, which every change increments. A removed person is gone at the next call too, and their vectors are overwritten in
the file.
"""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_dir

from engine.verify.gallery.reading import GalleryReading
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.sqlite.cipher import GalleryKey
from engine.verify.gallery.sqlite.epoch import settle
from engine.verify.gallery.sqlite.file import BUSY_SECONDS, GalleryFile
from engine.verify.gallery.sqlite.watch import GalleryWatch
from engine.verify.gallery.stored import StoredGallery

_FOLLOWER_BUSY_SECONDS = 0.2
"""How long a follower waits for a writer: it has other work to do, and will try again."""


def default_gallery_path() -> Path:
    """Return the path of the user's own gallery, usually ``~/.local/share/facestream/gallery.sqlite``."""
    return Path(user_data_dir("facestream", appauthor=False)) / "gallery.sqlite"


class Gallery(StoredGallery):
    """An open gallery file; created, with its folder, if it does not exist.

    Args:
        path: the file; None: ``default_gallery_path()``.
        read_only: never write; the file must exist.
        busy_seconds: how long to wait for a process that has locked the file. key: see ``GalleryFile``.

    Raises:
        GalleryError: the file cannot be created or opened, is not a gallery, or has another key.
        MissingRuntimeError: there is a key, and SQLCipher is not installed.
    """

    def __init__(
        self,
        path: Path | None = None,
        read_only: bool = False,
        busy_seconds: float = BUSY_SECONDS,
        key: GalleryKey | None = None,
    ) -> None:
        self.path, self._key = path or default_gallery_path(), key
        file = GalleryFile(self.path, read_only, busy_seconds, key)
        super().__init__(file)
        if not read_only:
            settle(file)

    def follow(self, embedder_sha256: str) -> GalleryWatch:
        """Return a follower of changes: it opens the file each time, and outlives this object."""
        path, key, reading = self.path, self._key, GalleryReading(embedder_sha256)

        def read() -> Snapshot:
            with Gallery(path, read_only=True, busy_seconds=_FOLLOWER_BUSY_SECONDS, key=key) as opened:
                return reading.read(opened.tables)

        return GalleryWatch(path, read)
