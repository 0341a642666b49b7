"""Read an output directory back, also one whose run was killed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.contracts.messages import Candidate, Decision, Face, Stream, Track
from engine.errors import PublishError
from engine.publish.files import whole_lines

_Line = TypeVar("_Line", bound=msgspec.Struct)


class FaceLine(msgspec.Struct, frozen=True):
    """One line of ``faces.jsonl``."""

    face: Face
    files: dict[str, str]
    """Part name to file, relative to the directory."""


class _Files(msgspec.Struct):
    files: dict[str, str] = {}


@dataclass(slots=True)
class TrackRecord:
    """What the directory knows of one track; ``track`` is None where a killed run did not come to say."""

    stream: str
    track_id: int
    track: Track | None = None
    faces: list[FaceLine] = field(default_factory=list)
    """Best first."""
    faces_seen: int = 0

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
    """Return ``run.json``.

    Raises:
        PublishError: there is none, or it is not JSON.
    """
    path = directory / "run.json"
    try:
        run = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise PublishError(f"{directory} is not the output directory of a run: {path.name}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise PublishError(f"{path} is not the record of a run: {error}") from error
    return run


def recorded(directory: Path) -> dict[str, Any]:
    """Return ``run.json`` as far as it can be read: nothing where there is none, or it is not a run's."""
    try:
        return read_run(directory)
    except PublishError:
        return {}


def read_tracks(directory: Path, faces_per_track: int) -> list[TrackRecord]:
    """Return all tracks by time, each with its best faces.

    Raises:
        PublishError: a file cannot be read.
    """
    records: dict[tuple[str, int], TrackRecord] = {}
    for line in _lines(directory / "faces.jsonl"):
        face = _decoded(line, Face)
        files = _decoded(line, _Files)
        if face is None or files is None:
            continue
        record = records.setdefault((face.stream, face.track_id), TrackRecord(face.stream, face.track_id))
        record.faces.append(FaceLine(face, files.files))
        record.faces_seen += 1
        if len(record.faces) > 4 * faces_per_track:
            _keep_best(record, faces_per_track)
    for line in _lines(directory / "tracks.jsonl"):
        track = _decoded(line, Track)
        if track is not None:
            records.setdefault((track.stream, track.track_id), TrackRecord(track.stream, track.track_id)).track = track
    for record in records.values():
        _keep_best(record, faces_per_track)
    return sorted(records.values(), key=lambda record: (record.span_seconds, record.stream, record.track_id))


def read_streams(directory: Path) -> dict[str, list[Stream]]:
    """Return the life of each stream, in order.

    Raises:
        PublishError: the file cannot be read.
    """
    streams: dict[str, list[Stream]] = {}
    for line in _lines(directory / "stream.jsonl"):
        event = _decoded(line, Stream)
        if event is not None:
            streams.setdefault(event.stream, []).append(event)
    return streams


def _keep_best(record: TrackRecord, count: int) -> None:
    record.faces.sort(key=lambda line: (-line.face.quality.score, line.face.seq))
    del record.faces[count:]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        yield from whole_lines(path)
    except OSError as error:
        raise PublishError(f"cannot read {path}: {error.strerror}") from error


def _decoded(line: bytes, kind: type[_Line]) -> _Line | None:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError:
        return None
