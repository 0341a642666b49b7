"""The output directory of a run as typed objects and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.archive.files import inside
from engine.archive.lines import last_words
from engine.archive.pictures import read_picture
from engine.archive.reader import FaceLine, TrackLine, VectorRow, face_lines, read_run, stream_lines, track_lines
from engine.archive.vector_files import vector_length
from engine.archive.vectors import mapped_vectors
from engine.contracts.messages import Stream
from engine.errors import PublishError

Key = tuple[str, int]
"""Stream and track id: unique within a directory."""


@dataclass(frozen=True)
class Vectors:
    """The vectors of many lines, of one length."""

    rows: NDArray[np.float32]
    """(n, d), each of length 1."""
    keys: list[Key]
    """Whose each is, n of them."""


class Run:
    """One output directory, also of a run that goes on or was killed. Nothing is read before it is asked for, nothing is kept
    but ``record`` and the mapped files of vectors, and nothing is ever written."""

    def __init__(self, directory: Path, record: dict[str, Any]) -> None:
        self.directory = directory
        self.record = record
        """``run.json``."""
        self._files: dict[str, NDArray[np.float32]] = {}

    @property
    def run_id(self) -> str:
        """Of the last attempt."""
        return str(self.record.get("run_id", ""))

    @cached_property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Of each recording, by stream: ``path``, ``size_bytes``, ``mtime_ns``, ``sha256``, as far as they are known."""
        return dict(self.record.get("inputs") or {})

    def faces(self) -> Iterator[FaceLine]:
        """Yield every face that was written, in the order of writing; of a track these come before its last word.

        Raises:
            PublishError: the file cannot be read.
        """
        return face_lines(self.directory, lambda stream, track_id: True)

    def track_messages(self) -> Iterator[TrackLine]:
        """Yield all that was said of tracks, interim words among them, in the order of writing.

        Raises:
            PublishError: the file cannot be read.
        """
        return track_lines(self.directory)

    def tracks(self) -> Iterator[TrackLine]:
        """Return the last word on each track, by their ends; those that have not ended, as after a kill, come last.

        Raises:
            PublishError: the file cannot be read.
        """
        return last_words(self.track_messages(), lambda line: line.track)

    def streams(self) -> Iterator[Stream]:
        """Yield the events in the lives of the streams, in the order of writing.

        Raises:
            PublishError: the file cannot be read.
        """
        return stream_lines(self.directory)

    def path(self, line: FaceLine | TrackLine, part: str) -> Path | None:
        """Return the picture of a line, as ``original``, ``enhanced`` or ``track``; None where it has none, or not any more."""
        return self.file(line.files.get(part))

    def file(self, name: str | None) -> Path | None:
        """Return a file by its name, as lines have it under ``files``; None where it is not there, or not any more, or the name
        leads out of the directory."""
        path = inside(self.directory, name) if name else None
        return path if path is not None and path.is_file() else None

    def picture(self, line: FaceLine | TrackLine, part: str) -> NDArray[np.uint8] | None:
        """Return a picture of a line, (height, width, 3) uint8 BGR; None where it has none, or not any more, or damaged.

        Args:
            line: of a face or a track.
            part: ``original``, ``enhanced``, ``track`` or ``agreement``.
        """
        return self.picture_named(line.files.get(part))

    def picture_named(self, name: str | None) -> NDArray[np.uint8] | None:
        """Return the same by the name of its file, as lines have it under ``files``."""
        path = self.file(name)
        content = None if path is None else read_picture(path)
        if content is None:
            return None
        from engine.pictures.decode import decoded  # which loads OpenCV

        return decoded(content[0])

    def vector(self, line: FaceLine | TrackLine) -> NDArray[np.float32] | None:
        """Return the vector of a line, (d,) float32, a view of the file; None where it has none, or not any more, or says it
        lies where none can be, see ``holds``.

        Raises:
            PublishError: the file cannot be read.
        """
        return self.row(line.vector)

    def row(self, place: VectorRow | None) -> NDArray[np.float32] | None:
        """Return the vector at a place, likewise.

        Raises:
            PublishError: the file cannot be read.
        """
        if place is None or not self.holds(place):
            return None
        row = self.rows(place.file)[place.row]
        return row if row.any() else None  # zeros: it has expired

    def holds(self, place: VectorRow) -> bool:
        """Return whether a place is one in this directory where a vector can be: a line that was changed may name any.

        Raises:
            PublishError: the file cannot be read.
        """
        if place.file not in self._files and not (vector_length(place.file) and self.file(place.file)):
            return False
        return 0 <= place.row < len(self.rows(place.file))

    def vectors_of(self, lines: Iterable[FaceLine | TrackLine]) -> Iterator[tuple[FaceLine | TrackLine, NDArray[np.float32]]]:
        """Yield those lines that have a vector, with it, as ``vector`` returns it.

        Raises:
            PublishError: a file cannot be read.
        """
        for line in lines:
            row = self.vector(line)
            if row is not None:
                yield line, row

    def face_vectors(self) -> list[Vectors]:
        """Return the vectors of all faces, one entry for each length that there is.

        Raises:
            PublishError: a file cannot be read.
        """
        return self._vectors(self.faces())

    def track_vectors(self) -> list[Vectors]:
        """Return the fused vectors of all tracks, by their last word, one entry for each length that there is.

        Raises:
            PublishError: a file cannot be read.
        """
        return self._vectors(self.tracks())

    def _vectors(self, lines: Iterable[FaceLine | TrackLine]) -> list[Vectors]:
        found: dict[int, tuple[list[NDArray[np.float32]], list[Key]]] = {}
        for line, row in self.vectors_of(lines):
            rows, keys = found.setdefault(len(row), ([], []))
            message = line.face if isinstance(line, FaceLine) else line.track
            rows.append(row)
            keys.append((message.stream, message.track_id))
        return [Vectors(np.stack(rows), keys) for rows, keys in found.values()]

    def rows(self, name: str) -> NDArray[np.float32]:
        """Return a file of vectors as ``VectorRow.file`` names it, mapped: (n, d) float32; rows that have expired are zeros.

        Raises:
            PublishError: it is no such file, or cannot be read.
        """
        if name not in self._files:
            self._files[name] = self._mapped(name)
        return self._files[name]

    def _mapped(self, name: str) -> NDArray[np.float32]:
        try:
            found = mapped_vectors(self.directory, name)
        except OSError as error:
            raise PublishError(f"cannot read {self.directory / name}: {error.strerror}") from error
        if found is None:
            raise PublishError(f"{self.directory}: {name!r} is not a file of vectors of a run")
        return found


def load_run(directory: str | Path) -> Run:
    """Return the run of an output directory.

    Raises:
        PublishError: it is not one.
    """
    path = Path(directory)
    return Run(path, read_run(path))
