"""All tracks of a run in the order in which they matter, in memory that does not grow with the run.

What is needed to put them in order lies in a database that SQLite keeps in a temporary file; lines are read again, by their
place in the files of the run, for the tracks that are asked for.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, cast

import msgspec
from msgspec.structs import replace

from engine.archive.files import first_data, whole_lines
from engine.archive.reader import FaceLine, TrackLine, TrackRecord, face_line, track_line
from engine.contracts.findings import Candidate, Decision
from engine.contracts.track_picture import keeps_picture
from engine.errors import PublishError

Key = tuple[str, int]
Section = Literal["named", "undecided", "recurring", "others"]
SECTIONS: tuple[Section, ...] = ("named", "undecided", "recurring", "others")
_Read = TypeVar("_Read")
_SCHEMA = (
    "CREATE TABLE tracks (id INTEGER PRIMARY KEY, stream, track_id, ended, decision, identity, evidence, first, last, clock_first,"
    " clock_last, line_at, picture_at, faces INT DEFAULT 0, size, quality, grouped, section, UNIQUE (stream, track_id))",
    "CREATE TABLE faces (track INTEGER, quality, size, frame, seq, has_scene, offset, seconds, at)",
    "CREATE TABLE sums (id INTEGER PRIMARY KEY, faces, quality, offset, first, last)",
    "CREATE TABLE places (place INTEGER PRIMARY KEY, id INTEGER)",
)


class _Quality(msgspec.Struct):
    size_px: float
    score: float


class _Seen(msgspec.Struct):
    """What of a line of ``faces.jsonl`` the order needs."""

    stream: str
    track_id: int
    seq: int
    frame_index: int
    pts_seconds: float
    captured_ns: int
    quality: _Quality
    live: bool = False
    recorded_ns: int | None = None
    files: dict[str, str] = {}


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
    """Which recurring stranger it is; empty: none."""
    first: float
    last: float
    clock_ns: tuple[int, int] | None
    """When, by the clock on the wall (Unix, nanoseconds): of a camera by that of the machine that read it."""
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
        groups: of recurring strangers: stream and track id to what the person is called; none where nobody has grouped them.

    Raises:
        PublishError: a file cannot be read.
    """

    def __init__(self, directory: Path, groups: Mapping[Key, str] | None = None) -> None:
        self._directory = directory
        self._database = sqlite3.connect("", isolation_level=None)
        self._files: dict[str, BinaryIO] = {}
        self.has_ratios = False
        """Whether likelihood ratios were calibrated for any track."""
        for statement in (*_SCHEMA, "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"):
            self._database.execute(statement)
        try:
            self._read_tracks()
            self._read_faces()
            self._name_unfinished()
        except OSError as error:
            raise PublishError(f"cannot read the run in {directory}: {error.strerror}") from error
        for (stream, track_id), name in (groups or {}).items():
            self._database.execute("UPDATE tracks SET grouped = ? WHERE stream = ? AND track_id = ?", (name, stream, track_id))
        self._order()

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

    def streams(self) -> dict[str, tuple[int, int]]:
        """Return of each stream how many tracks it has, and how many of them have a name; those with most names first."""
        named = "sum(section = 'named')"
        rows = self._rows(f"SELECT stream, count(*), {named} FROM tracks GROUP BY 1 ORDER BY {named} DESC, 2 DESC, 1")
        return {stream: (tracks, names) for stream, tracks, names in rows}

    def persons(self) -> Iterator[Person]:
        """Yield who was named, best evidence first."""
        rows = self._rows(
            "SELECT identity, count(*), count(DISTINCT stream), min(first), max(last), min(clock_first), max(clock_last),"
            " count(*) = count(clock_first), max(evidence), min(place) FROM places JOIN tracks USING (id) WHERE section = 'named'"
            " GROUP BY identity ORDER BY max(evidence) DESC, identity"
        )
        for identity, tracks, streams, first, last, began, ended, has_clock, evidence, place in rows:
            clock = (began, ended) if has_clock else None
            yield Person(identity, tracks, streams, first, last, clock, evidence, place)

    def tracks(self) -> Iterator[Indexed]:
        """Yield all tracks: named ones by person, those with the strongest evidence for a name, recurring strangers, the rest."""
        rows = self._rows(
            "SELECT stream, track_id, section, decision, identity, grouped, first, last, clock_first, clock_last, faces, size,"
            " quality, id, place FROM places JOIN tracks USING (id) ORDER BY place"
        )
        for stream, track_id, section, decision, name, group, first, last, began, ended, *rest in rows:
            clock = None if began is None or ended is None else (began, ended)
            known = cast("Section", section), cast("Decision", decision), name or "", group or ""
            yield Indexed(stream, track_id, *known, first, last, clock, *rest)

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
        rows = self._rows(
            "SELECT frame, has_scene, at FROM faces WHERE track = ? ORDER BY quality DESC, seq", (number,)
        )
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

    def _read_tracks(self) -> None:
        for at, text in _placed(self._directory / "tracks.jsonl"):
            if (line := track_line(text)) is None:
                continue
            track = line.track
            self.has_ratios |= any(one.log10_lr is not None for one in track.candidates)
            number, is_over, before, picture_at = self._find(track.stream, track.track_id)
            if is_over:
                continue
            if track.picture is not None:
                picture_at = at
            elif before is None or not keeps_picture(before, track.decision):
                picture_at = None
            self._database.execute(
                "UPDATE tracks SET ended = ?, decision = ?, identity = ?, evidence = ?, first = ?, last = ?, clock_first = ?,"
                " clock_last = ?, line_at = ?, picture_at = ? WHERE id = ?",
                (track.ended, track.decision, *_named(track.decision, track.candidates), track.first_pts_seconds,
                 track.last_pts_seconds, track.first_recorded_ns, track.last_recorded_ns, at, picture_at, number),
            )  # fmt: skip

    def _read_faces(self) -> None:
        decode = msgspec.json.Decoder(_Seen).decode
        for at, text in _placed(self._directory / "faces.jsonl"):
            try:
                seen = decode(text)
            except msgspec.DecodeError:
                continue
            clock = seen.captured_ns if seen.live else seen.recorded_ns
            offset = None if clock is None else clock - round(seen.pts_seconds * 1e9)
            number = self._find(seen.stream, seen.track_id)[0]
            values = (number, seen.quality.score, seen.quality.size_px, seen.frame_index, seen.seq, "scene" in seen.files,
                      offset, seen.pts_seconds, at)  # fmt: skip
            self._database.execute("INSERT INTO faces VALUES (?,?,?,?,?,?,?,?,?)", values)
        self._database.execute("CREATE INDEX of_track ON faces (track, quality DESC, seq)")
        self._database.execute(
            "INSERT INTO sums SELECT track, count(*), max(quality), min(offset), min(seconds), max(seconds) FROM faces GROUP BY 1"
        )
        self._database.execute(
            "UPDATE tracks SET faces = s.faces, quality = s.quality, first = coalesce(tracks.first, s.first),"
            " last = coalesce(tracks.last, s.last), clock_first = coalesce("
            "clock_first, s.offset + cast(coalesce(tracks.first, s.first) * 1e9 AS INT)), clock_last = coalesce("
            "clock_last, s.offset + cast(coalesce(tracks.last, s.last) * 1e9 AS INT)),"
            " size = (SELECT size FROM faces WHERE track = tracks.id ORDER BY quality DESC, seq LIMIT 1)"
            " FROM sums AS s WHERE s.id = tracks.id"
        )

    def _name_unfinished(self) -> None:
        """Of a track that a killed run did not come to say, its best face says what is known."""
        rows = self._rows("SELECT id, (SELECT at FROM faces WHERE track = tracks.id ORDER BY quality DESC, seq LIMIT 1)"
                          " FROM tracks WHERE line_at IS NULL")  # fmt: skip
        for number, at in list(rows):
            line = None if at is None else self._line("faces.jsonl", at, face_line)
            decision: Decision = line.face.decision if line else "none"
            found = _named(decision, line.face.candidates if line else [])
            self._database.execute(
                "UPDATE tracks SET decision = ?, identity = ?, evidence = ? WHERE id = ?", (decision, *found, number)
            )

    def _order(self) -> None:
        self._database.execute(
            "UPDATE tracks SET size = coalesce(size, 0.0), quality = coalesce(quality, 0.0), first = coalesce(first, 0.0),"
            " last = coalesce(last, 0.0), section = CASE WHEN decision = 'known' AND identity IS NOT NULL THEN 'named'"
            " WHEN decision = 'undecided' AND evidence > 0 THEN 'undecided' WHEN grouped IS NOT NULL THEN 'recurring'"
            " ELSE 'others' END"
        )
        by_time = "coalesce(clock_first, first), first, stream, track_id"
        orders = {
            "named": f"max(evidence) OVER (PARTITION BY identity) DESC, identity, {by_time}",
            "undecided": f"evidence DESC, {by_time}",
            "recurring": f"count(*) OVER (PARTITION BY grouped) DESC, grouped, {by_time}",
            "others": f"faces * quality DESC, {by_time}",
        }
        for section in SECTIONS:
            query = f"INSERT INTO places (id) SELECT id FROM tracks WHERE section = ? ORDER BY {orders[section]}"
            self._database.execute(query, (section,))

    def _find(self, stream: str, track_id: int) -> tuple[int, bool, Decision | None, int | None]:
        """Return of a track its number, whether its last word was read, its decision so far, and where its picture is said."""
        where = "WHERE stream = ? AND track_id = ?"
        query = f"SELECT id, ended, decision, picture_at FROM tracks {where}"
        row = self._database.execute(query, (stream, track_id)).fetchone()
        if row is not None:
            return row[0], bool(row[1]), row[2], row[3]
        made = self._database.execute("INSERT INTO tracks (stream, track_id) VALUES (?, ?)", (stream, track_id))
        return int(made.lastrowid or 0), False, None, None

    def _rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        with closing(self._database.execute(query, values)) as found:
            yield from found


def evidence_of(candidate: Candidate) -> float:
    """Return how strongly a likeness speaks for a person, comparable within a run: the likelihood ratio as a power of ten, else
    how seldom strangers look so much alike, likewise, else the cosine."""
    if candidate.log10_lr is not None:
        return candidate.log10_lr
    if candidate.false_name_chance is not None:
        return -math.log10(max(candidate.false_name_chance, 1e-12))
    return candidate.cosine_original


def _named(decision: Decision, candidates: Sequence[Candidate]) -> tuple[str | None, float | None]:
    """Return the name of a track and its evidence; one that is not decided has no name yet."""
    if not candidates:
        return None, None
    return (candidates[0].identity if decision == "known" else None), evidence_of(candidates[0])


def _placed(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines of a file with where each begins."""
    at = first_data(path) if path.exists() else 0
    for line in whole_lines(path, at):
        yield at, line
        at += len(line)
