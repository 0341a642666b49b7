"""Copies a playlist (HLS) into a form that FFmpeg reads.

FFmpeg rejects a byte order mark, and for an unfinished playlist it waits for more: near the end, for as long as a segment may
be by the playlist's own word.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.decode.playlist import is_playlist, lines_of, place_of, renamed

_END = "#EXT-X-ENDLIST"


@contextmanager
def finished_copy(path: Path) -> Iterator[Path]:
    """Yield a temporary copy of a playlist, and of those that it names.

    Names become absolute paths; an unfinished playlist ends with what it has.

    Raises:
        OSError: a playlist cannot be read, or a copy cannot be written.
    """
    with TemporaryDirectory() as folder:
        yield _Copies(Path(folder)).of(path)


class _Copies:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Path, Path] = {}

    def of(self, path: Path) -> Path:
        if (copy := self._made.get(path)) is None:
            copy = self._made[path] = self._folder / f"{len(self._made)}.m3u8"
            lines = [renamed(line, lambda name: self._place_of(path.parent, name)) for line in lines_of(path)]
            copy.write_bytes("\n".join([*lines, _END, ""]).encode("utf-8", "surrogateescape"))
        return copy

    def _place_of(self, folder: Path, name: str) -> str:
        if (place := place_of(folder, name)) is None:
            return name
        return f"file:{self.of(place) if is_playlist(place) else place}"
