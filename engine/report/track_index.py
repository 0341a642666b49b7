"""All tracks of a run in the order in which they matter, in memory that does not grow with the run.

What is needed to put them in order lies in a database that SQLite keeps in a temporary file; lines are read again, by their
place in the files of the run, for the tracks that are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from msgspec.structs import replace

from engine.archive.reader import FaceLine, TrackLine, TrackRecord, face_line, track_line
from engine.contracts.findings import Decision
from engine.errors import PublishError
from engine.report.track_tables import Group, Key, Section, TrackTables

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Person:
    """Whom tracks are named after."""

    identity: str
    tracks: int
    streams: int
    first: float
    last: float
    """Seconds of the stream's clock; of several streams the earliest and the latest."""
    clock_ns: tuple[int, int] | None
    """Unix, nanoseconds; None where it is not known of every track."""
    evidence: float | None
    """Of the track that shows most, see ``evidence_of``."""
    at_bound: bool
    """Whether more than this could not be shown."""
    place: int
    """Of the first of these tracks, see ``Indexed``."""


@dataclass(frozen=True)
class Indexed:
    """One track, without its faces."""

    stream: str
    track_id: int
    section: Section
    decision: Decision
    identity: str
    """Empty where it has no name."""
    group: str
    """Which recurring stranger it is, or the name that a person gave; empty: neither."""
    naming: str
    """In words, who gave that name; empty: nobody."""
    first: float
    last: float
    clock_ns: tuple[int, int] | None
    """When, by the clock on the wall (Unix, nanoseconds): of a camera by that of the machine that read it."""
    live: bool
    """Of a camera, the seconds of whose stream say nothing to a reader."""
    faces: int
    size_px: float
    """Of its best face."""
    quality: float
    number: int
    """In the index."""
    place: int
    """From 1, in the order in which tracks matter."""


class TrackIndex:
    """The tracks of a run's directory, also of one that was killed. Close it.

    Args:
        directory: of the run.
        groups: stream and track id of who was grouped or named by people; none where nobody was.

    Raises:
        PublishError: a file cannot be read.
    """

    def __init__(self, directory: Path, groups: Mapping[Key, Group] | None = None) -> None:
        self._directory = directory
        self._files: dict[str, BinaryIO] = {}
        try:
            tables = TrackTables(directory, groups or {})
        except OSError as error:
            raise PublishError(f"cannot read the run in {directory}: {error.strerror}") from error
        self._database, self.has_ratios = tables.database, tables.has_ratios

    def close(self) -> None:
        """Let go of the files."""
        self._database.close()
        for file in self._files.values():
            file.close()

    @cached_property
    def decisions(self) -> Counter[Decision]:
        """How many tracks were decided how."""
        return Counter(dict(self._rows("SELECT decision, count(*) FROM tracks GROUP BY 1")))

    @cached_property
    def sections(self) -> Counter[Section]:
        """How many tracks are in each section."""
        return Counter(dict(self._rows("SELECT section, count(*) FROM tracks GROUP BY 1")))

    @cached_property
    def faces(self) -> int:
        """All faces."""
        return int(next(self._rows("SELECT count(*) FROM faces"))[0])

    @cached_property
    def newest_ns(self) -> int:
        """The latest clock time of a track (Unix, nanoseconds); 0: none is known."""
        return int(next(self._rows("SELECT coalesce(max(clock_last), 0) FROM tracks"))[0])

    def streams(self) -> dict[str, tuple[int, int]]:
        """Return of each stream how many tracks it has, and how many of them have a name; those with most names first."""
        named = "sum(section = 'named')"
        rows = self._rows(f"SELECT stream, count(*), {named} FROM tracks GROUP BY 1 ORDER BY {named} DESC, 2 DESC, 1")
        return {stream: (tracks, names) for stream, tracks, names in rows}

    def persons(self) -> Iterator[Person]:
        """Yield who was named, best evidence first."""
        rows = self._rows(
            "SELECT identity, count(*), count(DISTINCT stream), min(first), max(last), min(clock_first), max(clock_last),"
            " count(*) = count(clock_first), max(evidence),"
            " max(evidence) = max(CASE WHEN evidence >= most THEN evidence END), min(place) FROM places JOIN tracks USING (id)"
            " WHERE section = 'named' GROUP BY identity ORDER BY max(evidence) DESC, identity"
        )
        for identity, tracks, streams, first, last, began, ended, has_clock, evidence, at_bound, place in rows:
            clock = (began, ended) if has_clock else None
            yield Person(identity, tracks, streams, first, last, clock, evidence, bool(at_bound), place)

    def tracks(self) -> Iterator[Indexed]:
        """Yield all tracks: named ones by person, those whom people named, those with the most evidence for a name, recurring
        strangers, the rest."""
        rows = self._rows(
            "SELECT stream, track_id, section, decision, identity, grouped, naming, first, last, clock_first,"
            " clock_last, live, faces, size, quality, id, place FROM places JOIN tracks USING (id) ORDER BY place"
        )
        for stream, track_id, section, decision, name, group, naming, first, last, began, ended, live, *rest in rows:
            clock = None if began is None or ended is None else (began, ended)
            known = cast("Section", section), cast("Decision", decision), name or "", group or "", naming or ""
            yield Indexed(stream, track_id, *known, first, last, clock, bool(live), *rest)

    def record(self, track: Indexed, faces: int) -> TrackRecord:
        """Return what is known of a track, with its best faces, the best one with a scene, and those of its picture.

        Args:
            track: of this index.
            faces: so many of the best.
        """
        [(line_at, picture_at)] = self._rows("SELECT line_at, picture_at FROM tracks WHERE id = ?", (track.number,))
        line = None if line_at is None else self._line("tracks.jsonl", line_at, track_line)
        if line is not None and picture_at not in (None, line_at):
            shown = self._line("tracks.jsonl", picture_at, track_line)
            if shown is not None:
                line = TrackLine(replace(line.track, picture=shown.track.picture), shown.files | line.files)
        record = TrackRecord(track.stream, track.track_id, line.track if line else None, files=line.files if line else {})
        record.faces, record.faces_seen = self._faces(record, track.number, faces), track.faces
        return record

    def _faces(self, record: TrackRecord, number: int, count: int) -> list[FaceLine]:
        picture = record.track.picture if record.track else None
        used = {frame.frame_index for frame in picture.frames}.union(picture.rejected) if picture else set()
        places, has_scene = list[int](), False
        rows = self._rows("SELECT frame, has_scene, at FROM faces WHERE track = ? ORDER BY quality DESC, seq", (number,))
        for place, (frame, scene, at) in enumerate(rows):
            if place < count or frame in used or (scene and not has_scene):
                places.append(at)
            has_scene |= bool(scene)
        lines = (self._line("faces.jsonl", at, face_line) for at in places)
        return [line for line in lines if line is not None]

    def _line(self, name: str, at: int, read: Callable[[bytes], _Read | None]) -> _Read | None:
        try:
            if name not in self._files:
                self._files[name] = (self._directory / name).open("rb")
            self._files[name].seek(at)
            return read(self._files[name].readline())
        except OSError as error:
            raise PublishError(f"cannot read {self._directory / name}: {error.strerror}") from error

    def _rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        yield from iter(self._database.execute(query, values).fetchone, None)  # a cursor by itself is closed with the generator
