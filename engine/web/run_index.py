"""Which lines of a run's ``tracks.jsonl`` are the last ones of their tracks: found once, and kept up as the file grows."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import msgspec

from engine.archive.files import first_data, whole_lines

_MOST_OPEN = 20_000
"""Tracks without an end: those that go on, and those of workers that died. The oldest give way, and are then not listed."""
Key = tuple[str, int]


class _Glance(msgspec.Struct):
    stream: str
    track_id: int
    ended: bool


class RunIndex:
    """Grows with the run's file; each line is read once.

    A track has one line with its end, and may have others before. Those count while there is no end.

    Args:
        path: of ``tracks.jsonl``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode = 0
        self.read_to = 0
        """Where the lines end that have been read."""
        self._open: OrderedDict[Key, int] = OrderedDict()

    def update(self) -> None:
        """Read what has been added. A file that was replaced, or cut back, is read anew.

        Raises:
            OSError: it cannot be read.
        """
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return
        if status.st_ino != self._inode or status.st_size < self.read_to:
            self._inode, self.read_to = status.st_ino, 0
            self._open.clear()
        at = max(self.read_to, first_data(self.path))
        for line in whole_lines(self.path, at):
            self._take(at, line)
            at += len(line)
        self.read_to = at

    def is_last(self, key: Key, ended: bool, offset: int) -> bool:
        """Return whether this line says the newest of its track."""
        return ended or self._open.get(key) == offset

    def place_of(self, key: Key) -> int | None:
        """Return where the newest line of a track begins that has no end yet."""
        return self._open.get(key)

    def _take(self, offset: int, line: bytes) -> None:
        try:
            seen = msgspec.json.decode(line, type=_Glance)
        except msgspec.DecodeError:
            return
        key = (seen.stream, seen.track_id)
        self._open.pop(key, None)
        if not seen.ended:
            self._open[key] = offset
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
