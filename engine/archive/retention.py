"""Pictures of cameras are kept for so long, or up to so many bytes; the lines and vectors beside them stay."""

from __future__ import annotations

import math
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 10.0
_MOST_AT_ONCE = 50
"""Tracks whose pictures go in one look: the publisher has other things to do."""
_SURELY_OVER_SECONDS = 3600.0
"""Of a track whose end never came, as after the death of a worker."""


@dataclass(slots=True)
class _Track:
    """The pictures of one track, which are in one folder."""

    size_bytes: int
    pictures: int
    written: float
    """Monotonic seconds of the newest."""
    is_open: bool = False


class Retention:
    """Deletes the oldest pictures of a run, whole tracks at a time, never those of a track that is still written.

    Args:
        root: the folder that holds ``<stream>/<track>/<picture>``; what is there already counts.
        keep_seconds: age of a track's newest picture; 0: any.
        keep_bytes: size of all pictures; 0: any.
    """

    def __init__(self, root: Path, keep_seconds: float, keep_bytes: int) -> None:
        self._root, self._keep_seconds, self._keep_bytes = root, keep_seconds, keep_bytes
        self._tracks: OrderedDict[Path, _Track] = OrderedDict(sorted(_found(root), key=lambda found: found[1].written))
        self._size_bytes = sum(track.size_bytes for track in self._tracks.values())
        self._next_look = 0.0
        self.counters = {"removed.tracks": 0, "removed.pictures": 0, "removed.bytes": 0}
        """Tracks whose pictures went, these pictures, and their size."""

    def wrote(self, folder: Path, size_bytes: int) -> None:
        """Note a new picture of a track that goes on."""
        track = self._tracks.setdefault(folder, _Track(0, 0, 0.0))
        self._tracks.move_to_end(folder)
        track.size_bytes += size_bytes
        track.pictures += 1
        track.written, track.is_open = time.monotonic(), True
        self._size_bytes += size_bytes

    def ended(self, folder: Path) -> None:
        """Note that no more comes of a track."""
        if (track := self._tracks.get(folder)) is not None:
            track.is_open = False

    def look(self, gone_before: float = -math.inf) -> list[Path]:
        """Delete what is too old or too much, if the last look is some time ago; return the folders that are gone.

        Args:
            gone_before: monotonic seconds; pictures that are older go in any case.

        Raises:
            OSError: a picture cannot be deleted.
        """
        if time.monotonic() < self._next_look:
            return []
        self._next_look = time.monotonic() + _LOOK_SECONDS
        gone = []
        for folder in list(self._due(gone_before))[:_MOST_AT_ONCE]:
            self._delete(folder)
            gone.append(folder)
        if len(gone) == _MOST_AT_ONCE:
            self._next_look = 0.0  # there is more
        return gone

    def _due(self, gone_before: float) -> Iterator[Path]:
        now, size_bytes = time.monotonic(), self._size_bytes
        for folder, track in self._tracks.items():
            age = now - track.written
            too_old = 0 < self._keep_seconds < age or track.written < gone_before
            too_much = 0 < self._keep_bytes < size_bytes
            if not too_old and not too_much:
                return
            if not track.is_open or age > _SURELY_OVER_SECONDS:
                size_bytes -= track.size_bytes
                yield folder

    def _delete(self, folder: Path) -> None:
        track = self._tracks.pop(folder)
        for path in _pictures(folder):
            Path(path.path).unlink(missing_ok=True)
        if folder.is_dir():
            folder.rmdir()
        self._size_bytes -= track.size_bytes
        self.counters["removed.tracks"] += 1
        self.counters["removed.pictures"] += track.pictures
        self.counters["removed.bytes"] += track.size_bytes


def _found(root: Path) -> Iterator[tuple[Path, _Track]]:
    now, wall = time.monotonic(), time.time()
    for folder in root.glob("*/*"):
        if pictures := [path.stat() for path in _pictures(folder)]:
            newest = max(found.st_mtime for found in pictures)
            yield folder, _Track(sum(found.st_size for found in pictures), len(pictures), now - max(0.0, wall - newest))


def _pictures(folder: Path) -> list[os.DirEntry[str]]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
