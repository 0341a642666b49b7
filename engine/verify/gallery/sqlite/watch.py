"""Follows a gallery during a run: reads it again when its file changes, and does not keep it open in between.

An open connection keeps a write-ahead log beside the file, which SQLite would apply to any other file put in its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.errors import GalleryError
from engine.verify.gallery.snapshot import Snapshot

_YOUNG_NS = 100_000_000
"""File systems record times in steps of some milliseconds: a file that changed just now may change again unnoticed."""

_Seen = tuple[tuple[int, ...], ...]


class GalleryWatch:
    """Notices changes of a gallery.

    Args:
        path: of the gallery.
        read: opens it, and returns the people of one embedder.
    """

    def __init__(self, path: Path, read: Callable[[], Snapshot]) -> None:
        self.path = path
        self._read = read
        self._seen: _Seen | None = None

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    def news(self) -> Snapshot | None:
        """Return the people if the file has changed since the last successful call, and always the first time; otherwise None.

        Raises:
            GalleryError: the file is missing, locked, corrupt, or not a gallery.
        """
        seen, youngest_ns = self._look()
        if seen == self._seen:
            return None
        people = self._read()
        self._seen = seen if time.time_ns() - youngest_ns > _YOUNG_NS else None
        return people

    def close(self) -> None:
        """See ``GalleryNews``: nothing is held."""

    def _look(self) -> tuple[_Seen, int]:
        """Return what identifies a state of the file and its log, and when they last changed (Unix, ns)."""
        try:
            files = [self.path.stat()]
        except OSError as error:
            raise GalleryError(f"the gallery {self.path} is gone ({error.strerror}): put it back") from error
        with suppress(OSError):
            files.append(Path(f"{self.path}-wal").stat())
        # A reader leaves an empty log behind.
        found = tuple((one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns) for one in files if one is files[0] or one.st_size)
        return found, max(mtime_ns for *_, mtime_ns in found)
