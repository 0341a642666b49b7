"""Which lines of a run's ``tracks.jsonl`` are the last ones of their tracks: found once, and kept up as the file grows."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import msgspec

from engine.archive.files import first_data, whole_lines
from engine.archive.lines import decoded
from engine.contracts.findings import Decision
from engine.contracts.track_picture import keeps_picture

_MOST_OPEN = 20_000
"""Tracks without an end: those that go on, and those of workers that died. The oldest give way, and are then not listed."""
Key = tuple[str, int]


class _Any(msgspec.Struct):
    """Whatever it holds is passed over."""


class _Glance(msgspec.Struct):
    stream: str
    track_id: int
    ended: bool
    decision: Decision = "none"
    picture: _Any | None = None


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
        self._shown: OrderedDict[Key, tuple[int, Decision]] = OrderedDict()
        """Where the line with the newest picture of a track begins, while later lines have none, and what the last one says."""

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
            self._shown.clear()
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

    def picture_of(self, key: Key) -> int | None:
        """Return where the line begins whose picture stands for the newest line of a track without one."""
        return self._shown[key][0] if key in self._shown else None

    def _take(self, offset: int, line: bytes) -> None:
        if (seen := decoded(line, _Glance)) is None:
            return
        key = (seen.stream, seen.track_id)
        self._open.pop(key, None)
        if not seen.ended:
            self._open[key] = offset
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        self._note_picture(key, offset, seen)

    def _note_picture(self, key: Key, offset: int, seen: _Glance) -> None:
        before = self._shown.pop(key, None)
        if seen.picture is not None:
            if not seen.ended:
                self._shown[key] = offset, seen.decision
        elif before is not None and keeps_picture(before[1], seen.decision):
            self._shown[key] = before[0], seen.decision
        if len(self._shown) > _MOST_OPEN:
            self._shown.popitem(last=False)
