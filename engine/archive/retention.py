"""Pictures of cameras are kept for a limited time, or up to a limited size; the lines and vectors beside them stay."""

from __future__ import annotations

import math
import os
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 10.0
_MOST_AT_ONCE = 50
"""Tracks whose pictures go in one look: the publisher has other things to do."""
_SURELY_OVER_SECONDS = 3600.0
"""Of a track whose end never came, as after the death of a worker."""
_NUMBERS = struct.Struct("<qid")


@dataclass(slots=True)
class _Track:
    """The pictures of one track, which are in one folder."""

    size_bytes: int = 0
    pictures: int = 0
    written: float = 0.0
    """Monotonic seconds of the newest."""

    def packed(self, folder: str) -> bytes:
        """Return it as a tenth of the memory: of tracks that are over there are as many as are kept."""
        return _NUMBERS.pack(self.size_bytes, self.pictures, self.written) + os.fsencode(folder)


def _unpacked(packed: bytes) -> tuple[str, _Track]:
    return os.fsdecode(packed[_NUMBERS.size :]), _Track(*_NUMBERS.unpack_from(packed))


class Retention:
    """Deletes the oldest pictures of a run, whole tracks at a time, never those of a track that is still written.

    Args:
        root: the folder that holds ``<stream>/<track>/<picture>``; what is there already counts.
        keep_seconds: age of a track's newest picture; 0: any.
        keep_bytes: size of all pictures; 0: any.
        tell: is given the folders whose pictures go, before they do.
    """

    def __init__(
        self, root: Path, keep_seconds: float, keep_bytes: int, tell: Callable[[list[Path]], None] = lambda folders: None
    ) -> None:
        self._root, self._keep_seconds, self._keep_bytes, self._tell = root, keep_seconds, keep_bytes, tell
        self._open: OrderedDict[Path, _Track] = OrderedDict()
        """Those that go on, by folder, in the order of their newest pictures."""
        found = sorted(_found(root), key=lambda one: one[1].written)
        self._over = deque(track.packed(folder) for folder, track in found)
        """Those that are over, in this order."""
        self._size_bytes = sum(track.size_bytes for _, track in found)
        self._next_look = 0.0
        self.counters = {"removed.tracks": 0, "removed.pictures": 0, "removed.bytes": 0}
        """Tracks whose pictures went, these pictures, and their size."""

    def wrote(self, folder: Path, size_bytes: int) -> None:
        """Note a new picture of a track that goes on."""
        track = self._open.setdefault(folder, _Track())
        self._open.move_to_end(folder)
        track.size_bytes += size_bytes
        track.pictures += 1
        track.written = time.monotonic()
        self._size_bytes += size_bytes

    def ended(self, folder: Path) -> None:
        """Note that no more comes of a track."""
        if (track := self._open.pop(folder, None)) is not None:
            self._over.append(track.packed(folder.relative_to(self._root).as_posix()))

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
        now, gone = time.monotonic(), dict[Path, _Track]()
        for folder in [folder for folder, track in self._open.items() if now - track.written > _SURELY_OVER_SECONDS]:
            self.ended(folder)
        while len(gone) < _MOST_AT_ONCE and self._over:
            name, track = _unpacked(self._over[0])
            if not self._is_due(track, now, gone_before):
                break
            self._over.popleft()
            folder = self._root / name
            if (goes_on := self._open.get(folder)) is not None:
                goes_on.size_bytes += track.size_bytes
                goes_on.pictures += track.pictures
            else:
                self._size_bytes -= track.size_bytes
                gone[folder] = track
        if gone:
            self._tell(list(gone))
        for folder, track in gone.items():
            self._delete(folder, track)
        if len(gone) == _MOST_AT_ONCE:
            self._next_look = 0.0  # there is more
        return list(gone)

    def _is_due(self, track: _Track, now: float, gone_before: float) -> bool:
        too_old = 0 < self._keep_seconds < now - track.written or track.written < gone_before
        return too_old or 0 < self._keep_bytes < self._size_bytes

    def _delete(self, folder: Path, track: _Track) -> None:
        for path in _pictures(folder):
            Path(path.path).unlink(missing_ok=True)
        if folder.is_dir():
            folder.rmdir()
        self.counters["removed.tracks"] += 1
        self.counters["removed.pictures"] += track.pictures
        self.counters["removed.bytes"] += track.size_bytes


def _found(root: Path) -> Iterator[tuple[str, _Track]]:
    now, wall = time.monotonic(), time.time()
    for folder in root.glob("*/*"):
        if pictures := [path.stat() for path in _pictures(folder)]:
            age = max(0.0, wall - max(found.st_mtime for found in pictures))
            size_bytes = sum(found.st_size for found in pictures)
            yield folder.relative_to(root).as_posix(), _Track(size_bytes, len(pictures), now - age)


def _pictures(folder: Path) -> list[os.DirEntry[str]]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
