"""Reads an output directory back, even if its run was killed."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.lines import bytes_of, decoded, read_lines
from engine.archive.record import shaped
from engine.contracts.findings import Candidate, Decision
from engine.contracts.messages import Face, Stream, Track
from engine.contracts.unreadable import UNREADABLE
from engine.errors import MissingResultError, PublishError


class VectorRow(msgspec.Struct, frozen=True):
    """Where a vector is."""

    file: str
    """Relative to the directory: little-endian float32, row after row."""
    row: int
    """From 0."""


class FaceLine(msgspec.Struct, frozen=True):
    """One line of ``faces.jsonl``."""

    face: Face
    files: dict[str, str]
    """Part name to file, relative to the directory."""
    vector: VectorRow | None = None


class TrackLine(msgspec.Struct, frozen=True):
    """One line of ``tracks.jsonl``."""

    track: Track
    files: dict[str, str]
    """Part name to file, relative to the directory."""
    vector: VectorRow | None = None


class _Key(msgspec.Struct):
    stream: str
    track_id: int


class NamedFiles(msgspec.Struct):
    """Of a line of ``faces.jsonl`` or ``tracks.jsonl`` only which files it names."""

    files: dict[str, str] = {}


class _Named(NamedFiles, kw_only=True):
    stream: str
    embedding: VectorRow | None = None


@dataclass(slots=True)
class TrackRecord:
    """What the directory knows of one track; ``track`` is None where a killed run did not come to say."""

    stream: str
    track_id: int
    track: Track | None = None
    faces: list[FaceLine] = field(default_factory=list)
    """Best first."""
    faces_seen: int = 0
    files: dict[str, str] = field(default_factory=dict)
    """Of ``track``."""

    @property
    def best(self) -> FaceLine | None:
        """The face that the track message names, else the one of best quality."""
        if self.track is not None:
            for line in self.faces:
                # Each attempt of a resumed run has its own run_id and counts for itself.
                if (line.face.run_id, line.face.seq) == (self.track.run_id, self.track.best_face_seq):
                    return line
        return self.faces[0] if self.faces else None

    @property
    def span_seconds(self) -> tuple[float, float]:
        """First and last time in the source."""
        if self.track is not None:
            return self.track.first_pts_seconds, self.track.last_pts_seconds
        times = [line.face.pts_seconds for line in self.faces]
        return min(times, default=0.0), max(times, default=0.0)

    @property
    def recorded_span_ns(self) -> tuple[int, int] | None:
        """First and last time by the recording's wall clock (Unix, nanoseconds), None where that is not known."""
        if self.track is not None:
            first, last = self.track.first_recorded_ns, self.track.last_recorded_ns
            return None if first is None or last is None else (first, last)
        times = [line.face.recorded_ns for line in self.faces if line.face.recorded_ns is not None]
        return (min(times), max(times)) if times else None

    @property
    def decision(self) -> Decision:
        """Of the track, or of its best face."""
        if self.track is not None:
            return self.track.decision
        return self.best.face.decision if self.best else "none"

    @property
    def candidates(self) -> list[Candidate]:
        """Of the track, or of its best face."""
        if self.track is not None:
            return self.track.candidates
        return self.best.face.candidates if self.best else []


def read_run(directory: Path) -> dict[str, Any]:
    """Return ``run.json``, without what has another shape than a run gives it.

    Raises:
        MissingResultError: there is none.
        PublishError: it cannot be read, or is not JSON.
    """
    return shaped(as_written(directory))


def as_written(directory: Path) -> dict[str, Any]:
    """Return ``run.json`` with all that is in it, for who writes it again.

    Raises:
        PublishError: as ``read_run``.
    """
    path = directory / "run.json"
    try:
        run = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            why = "it is a file" if directory.is_file() else f"{path.name}: {error.strerror}{_runs_in(directory)}"
            raise MissingResultError(f"{directory} is not the output directory of a run: {why}") from error
        raise PublishError(f"cannot read {path}: {error.strerror}") from error
    except UNREADABLE as error:
        raise PublishError(f"{path} is not the record of a run: {error}") from error
    return run


def _runs_in(folder: Path) -> str:
    """Return what to do with a folder that is no run and holds some, as the end of a sentence; empty: it holds none."""
    runs = [path.parent for path in islice(folder.glob("*/run.json"), 2)]
    if not runs:
        return ""
    return f"; it holds one: name {runs[0]}" if len(runs) == 1 else f"; it holds several: name those, as {folder}/*"


def recorded(directory: Path) -> dict[str, Any]:
    """Return ``run.json`` as far as it can be read: nothing where there is none, or it is not a run's."""
    try:
        return read_run(directory)
    except PublishError:
        return {}


def face_lines(directory: Path, wanted: Callable[[str, int], bool]) -> Iterator[FaceLine]:
    """Yield readable lines of ``faces.jsonl``, in their order.

    Args:
        directory: of the run.
        wanted: is asked about each line, by stream and track, before the rest of it is read.

    Raises:
        PublishError: the file cannot be read.
    """
    for line in bytes_of(directory / "faces.jsonl"):
        key = decoded(line, _Key)
        if key is None or not wanted(key.stream, key.track_id):
            continue
        if (read := face_line(line)) is not None:
            yield read


def face_line(line: bytes) -> FaceLine | None:
    """Return what a line of ``faces.jsonl`` says, None where it cannot be read."""
    face, named = decoded(line, Face), decoded(line, _Named)
    return None if face is None or named is None else FaceLine(face, named.files, named.embedding)


def track_line(line: bytes) -> TrackLine | None:
    """Return what a line of ``tracks.jsonl`` says, None where it cannot be read."""
    track, named = decoded(line, Track), decoded(line, _Named)
    return None if track is None or named is None else TrackLine(track, named.files, named.embedding)


def track_lines(directory: Path) -> Iterator[TrackLine]:
    """Yield the readable lines of ``tracks.jsonl``, in their order.

    Raises:
        PublishError: the file cannot be read.
    """
    for line in bytes_of(directory / "tracks.jsonl"):
        if (read := track_line(line)) is not None:
            yield read


def read_streams(directory: Path) -> dict[str, list[Stream]]:
    """Return of the life of each stream, in order, the last event, and the last ones that say how large its picture is and when
    it began.

    Raises:
        PublishError: the file cannot be read.
    """
    streams: dict[str, list[Stream]] = {}
    for event in stream_lines(directory):
        streams[event.stream] = [*_still_telling(streams.get(event.stream, []), event), event]
    return streams


def stream_lines(directory: Path) -> Iterator[Stream]:
    """Return the readable lines of ``stream.jsonl``, in their order.

    Raises:
        PublishError: the file cannot be read.
    """
    return read_lines(directory / "stream.jsonl", Stream)


def _still_telling(before: list[Stream], event: Stream) -> list[Stream]:
    """Return those events that say what no later one says."""
    kept: list[Stream] = []
    sized, begun = bool(event.width_px), event.started_ns is not None
    for earlier in reversed(before):
        if (earlier.width_px and not sized) or (earlier.started_ns is not None and not begun):
            kept.insert(0, earlier)
        sized, begun = sized or bool(earlier.width_px), begun or earlier.started_ns is not None
    return kept
