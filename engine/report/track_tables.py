"""Reads a run into tables: what is needed to put its tracks in order, and where each line is."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from engine.archive.files import first_data, whole_lines
from engine.archive.lines import decoded
from engine.archive.reader import face_line, track_line
from engine.contracts.findings import Basis, Candidate, Decision
from engine.contracts.times import Int64, StreamSeconds, UnixNs
from engine.contracts.track_picture import keeps_picture
from engine.words.worth import degree

Key = tuple[str, int]
Section = Literal["named", "called", "undecided", "recurring", "others"]
SECTIONS: tuple[Section, ...] = ("named", "called", "undecided", "recurring", "others")
_SCHEMA = (
    "CREATE TABLE tracks (id INTEGER PRIMARY KEY, stream, track_id, ended, decision, identity, evidence, most, first, last,"
    " clock_first, clock_last, line_at, picture_at, faces INT DEFAULT 0, live DEFAULT 0, size, quality, grouped, section,"
    " naming, speaks, UNIQUE (stream, track_id))",
    "CREATE TABLE faces (track INTEGER, quality, size, frame, seq, has_scene, live, offset, seconds, at)",
    "CREATE TABLE sums (id INTEGER PRIMARY KEY, faces, quality, live, offset, first, last)",
    "CREATE TABLE places (place INTEGER PRIMARY KEY, id INTEGER)",
)


class Group(NamedTuple):
    """Whom tracks show that were grouped."""

    name: str
    """That a person gave, else the stranger's id."""
    naming: str = ""
    """In words, who gave it, as ``named by ada``; empty: nobody."""


class _Quality(msgspec.Struct):
    size_px: float
    score: float


class _Seen(msgspec.Struct):
    """What of a line of ``faces.jsonl`` the order needs."""

    stream: str
    track_id: Int64
    seq: Int64
    frame_index: Int64
    pts_seconds: StreamSeconds
    captured_ns: UnixNs
    quality: _Quality
    live: bool = False
    recorded_ns: UnixNs | None = None
    files: dict[str, str] = {}


class TrackTables:
    """The tables ``tracks``, ``faces`` and ``places`` of a run, in a temporary file of SQLite's.

    Args:
        directory: of the run.
        groups: stream and track id of who was grouped or named by people.

    Raises:
        OSError: a file cannot be read.
    """

    def __init__(self, directory: Path, groups: Mapping[Key, Group]) -> None:
        self._directory = directory
        self.database = sqlite3.connect("", isolation_level=None)
        self.has_ratios = False
        """Whether likelihood ratios were calibrated for any track."""
        for statement in (*_SCHEMA, "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"):
            self.database.execute(statement)
        self._read_tracks()
        self._read_faces()
        self._name_unfinished()
        update = "UPDATE tracks SET grouped = ?, naming = ? WHERE stream = ? AND track_id = ?"
        for key, group in groups.items():
            self.database.execute(update, (*group, *key))
        self._order()

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
            self.database.execute(
                "UPDATE tracks SET ended = ?, decision = ?, identity = ?, evidence = ?, speaks = ?, most = ?, first = ?,"
                " last = ?, clock_first = ?, clock_last = ?, line_at = ?, picture_at = ? WHERE id = ?",
                (track.ended, track.decision, *_named(track.decision, track.candidates), _most(track.basis),
                 track.first_pts_seconds, track.last_pts_seconds, track.first_recorded_ns, track.last_recorded_ns,
                 at, picture_at, number),
            )  # fmt: skip

    def _read_faces(self) -> None:
        for at, text in _placed(self._directory / "faces.jsonl"):
            if (seen := decoded(text, _Seen)) is None:
                continue
            clock = seen.captured_ns if seen.live else seen.recorded_ns
            offset = None if clock is None else clock - round(seen.pts_seconds * 1e9)
            number = self._find(seen.stream, seen.track_id)[0]
            values = (number, seen.quality.score, seen.quality.size_px, seen.frame_index, seen.seq, "scene" in seen.files,
                      seen.live, offset, seen.pts_seconds, at)  # fmt: skip
            self.database.execute("INSERT INTO faces VALUES (?,?,?,?,?,?,?,?,?,?)", values)
        self.database.execute("CREATE INDEX of_track ON faces (track, quality DESC, seq)")
        self.database.execute(
            "INSERT INTO sums SELECT track, count(*), max(quality), max(live), min(offset), min(seconds), max(seconds)"
            " FROM faces GROUP BY 1"
        )
        self.database.execute(
            "UPDATE tracks SET faces = s.faces, quality = s.quality, live = s.live, first = coalesce(tracks.first, s.first),"
            " last = coalesce(tracks.last, s.last), clock_first = coalesce("
            "clock_first, s.offset + cast(coalesce(tracks.first, s.first) * 1e9 AS INT)), clock_last = coalesce("
            "clock_last, s.offset + cast(coalesce(tracks.last, s.last) * 1e9 AS INT)),"
            " size = (SELECT size FROM faces WHERE track = tracks.id ORDER BY quality DESC, seq LIMIT 1)"
            " FROM sums AS s WHERE s.id = tracks.id"
        )

    def _name_unfinished(self) -> None:
        """Of a track that a killed run did not come to say, its best face says what is known."""
        best = "SELECT at FROM faces WHERE track = tracks.id ORDER BY quality DESC, seq LIMIT 1"
        for number, at in self.database.execute(f"SELECT id, ({best}) FROM tracks WHERE line_at IS NULL").fetchall():
            line = None if at is None else face_line(line_at(self._directory / "faces.jsonl", at))
            decision: Decision = line.face.decision if line else "none"
            found = _named(decision, line.face.candidates if line else [])
            self.database.execute(
                "UPDATE tracks SET decision = ?, identity = ?, evidence = ?, speaks = ? WHERE id = ?",
                (decision, *found, number),
            )

    def _order(self) -> None:
        self.database.execute(
            "UPDATE tracks SET size = coalesce(size, 0.0), quality = coalesce(quality, 0.0), first = coalesce(first, 0.0),"
            " last = coalesce(last, 0.0), section = CASE WHEN decision = 'known' AND identity IS NOT NULL THEN 'named'"
            " WHEN naming <> '' THEN 'called' WHEN decision = 'undecided' AND speaks THEN 'undecided'"
            " WHEN grouped IS NOT NULL THEN 'recurring' ELSE 'others' END"
        )
        by_time = "coalesce(clock_first, first), first, stream, track_id"
        orders = {
            "named": f"max(evidence) OVER (PARTITION BY identity) DESC, identity, {by_time}",
            "called": f"grouped, {by_time}",
            "undecided": f"evidence DESC, {by_time}",
            "recurring": f"count(*) OVER (PARTITION BY grouped) DESC, grouped, {by_time}",
            "others": f"faces * quality DESC, {by_time}",
        }
        for section in SECTIONS:
            query = f"INSERT INTO places (id) SELECT id FROM tracks WHERE section = ? ORDER BY {orders[section]}"
            self.database.execute(query, (section,))

    def _find(self, stream: str, track_id: int) -> tuple[int, bool, Decision | None, int | None]:
        """Return of a track its number, whether its last word was read, its decision so far, and where its picture is said."""
        where = "WHERE stream = ? AND track_id = ?"
        query = f"SELECT id, ended, decision, picture_at FROM tracks {where}"
        row = self.database.execute(query, (stream, track_id)).fetchone()
        if row is not None:
            return row[0], bool(row[1]), row[2], row[3]
        made = self.database.execute("INSERT INTO tracks (stream, track_id) VALUES (?, ?)", (stream, track_id))
        return int(made.lastrowid or 0), False, None, None


def evidence_of(candidate: Candidate) -> float:
    """Return how strongly a likeness speaks for a person, comparable within a run: the likelihood ratio as a power of ten, else
    how seldom strangers look so much alike, likewise, else the cosine."""
    if candidate.log10_lr is not None:
        return candidate.log10_lr
    if candidate.false_name_chance is not None:
        return -math.log10(max(candidate.false_name_chance, 1e-12))
    return candidate.cosine_original


def _named(decision: Decision, candidates: Sequence[Candidate]) -> tuple[str | None, float | None, bool]:
    """Return a track's name, its evidence, and whether that speaks for somebody; one that is not decided has no name yet."""
    if not candidates:
        return None, None, False
    first = candidates[0]
    evidence = evidence_of(first)
    speaks = evidence > 0 and (first.log10_lr is None or bool(degree(first.log10_lr)))
    return (first.identity if decision == "known" else None), evidence, speaks


def _most(basis: Basis | None) -> float | None:
    """Return the highest likelihood ratio that can be shown of a track, as a power of ten; None: not known."""
    bounds = basis.log10_lr_bounds if basis is not None else None
    return None if bounds is None else bounds[1]


def _placed(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines of a file with where each begins."""
    at = first_data(path) if path.exists() else 0
    for line in whole_lines(path, at):
        yield at, line
        at += len(line)


def line_at(path: Path, at: int) -> bytes:
    """Return the line of a file that begins at a byte.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(at)
        return file.readline()
