"""The parts of a run that are about one person.

- A track that was decided to be this person: all of its lines, pictures and vectors. What counts is the last decision; one that
  was theirs before and is nobody else's now counts too.
- A track that somebody has said to be this person, see ``said``: the same.
- In another track, a single face that was: its line, pictures and vector. What was made of many frames of such a track, or of
  one that was theirs before, may show them: these pictures go, and the track's line stays.
- The whole picture beside somebody else's face, taken while they were in the picture, or shortly before or after.
- All tracks that were rejected, if the person is in the run: nobody knows whose they would be, and they may be theirs.
- As a candidate of somebody else's face: the name and its scores. A decision that rested on it becomes ``undecided``.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.files import whole_lines
from engine.archive.record_check import RECORDS
from engine.contracts.track_picture import TrackPicture
from engine.contracts.unreadable import UNREADABLE
from engine.privacy.cutting import REJECTED_KIND, Judge, Record, key_of
from engine.privacy.folder import Folder
from engine.privacy.mentions import Mentions
from engine.privacy.said import tracks_named
from engine.privacy.scenes import Presence, without_scene

_FACE_LINES = RECORDS[0]
_Key = tuple[str, int]


class _Pictured(msgspec.Struct):
    """A line of a track."""

    stream: str
    track_id: int
    picture: TrackPicture | None = None
    files: dict[str, str] = {}


class _Face(msgspec.Struct):
    stream: str
    track_id: int
    frame_index: int


@dataclass
class _Seen:
    """What the lines of a track say of the person."""

    has_track: bool = False
    now: str = ""
    """The last word: ``theirs``, ``another``, or empty."""
    ever: bool = False
    face: bool = False
    another_face: bool = False
    likely: bool = False
    first: float = math.inf
    last: float = -math.inf
    """Seconds by the stream's clock."""

    def note_times(self, record: Record) -> None:
        """Note when a line says that they were seen."""
        times = (record.get(name) for name in ("pts_seconds", "first_pts_seconds", "last_pts_seconds"))
        for seconds in times:
            if isinstance(seconds, int | float):
                self.first, self.last = min(self.first, seconds), max(self.last, seconds)

    @property
    def is_theirs(self) -> bool:
        if self.has_track:
            return self.now == "theirs" or (self.ever and self.now != "another")
        return self.face and not self.another_face


class OfPerson(Judge):
    """Takes out of a run what is about one person.

    Args:
        directory: of the run.
        person: who goes.
        likely: also tracks that were not decided, and had this person as their first candidate.

    Raises:
        OSError: a file cannot be read.
        PublishError: the corrections cannot be read.
    """

    def __init__(self, directory: Path, person: Mentions, likely: bool = False) -> None:
        self._person = person
        self._lost: dict[_Key, set[int]] = {}
        """Frames of the pictures that are gone."""
        self._alone: list[tuple[str, float, float]] = []
        """Where single faces were theirs."""
        seen: dict[_Key, _Seen] = {}
        with Folder(directory) as folder:
            for name in filter(folder.is_file, RECORDS):
                for line in whole_lines(directory / name):
                    self._look(line, seen)
                    self._look_for_lost(line, folder)
            if self._lost and folder.is_file(_FACE_LINES):
                for line in whole_lines(directory / _FACE_LINES):
                    self._find(line)
        self.tracks = {key for key, found in seen.items() if found.is_theirs or (likely and found.likely)}
        """Theirs, by stream and id."""
        self.tracks |= tracks_named(directory, person) & set(seen)
        spans = [(key[0], seen[key].first, seen[key].last) for key in self.tracks]
        self._presence = Presence([*(span for span in spans if span[1] <= span[2]), *self._alone])
        self._mixed = {key for key, found in seen.items() if found.face or found.ever}
        # A kill may have come after the face's line went, and before the track's did: its picture is gone already.
        self._mixed |= {key for key, frames in self._lost.items() if frames}

    def record(self, record: Record) -> Record | None:
        """See ``Judge``."""
        if record.get("kind") == REJECTED_KIND:
            return None if self.tracks or self._mixed else record
        if record.get("kind") not in ("face", "track"):
            return record
        if key_of(record) in self.tracks or (record["kind"] == "face" and self._who(record) == "theirs"):
            return None
        if record["kind"] == "track" and key_of(record) in self._mixed:
            record = _without_pictures(record)
        if record["kind"] == "face" and self._presence.covers(record):
            record = without_scene(record)
        candidates = record.get("candidates")
        if not isinstance(candidates, list):
            return record
        others = [one for one in candidates if not self._is_person(one)]
        if len(others) == len(candidates):
            return record
        lost = {"decision": "undecided"} if self._who(record) == "theirs" else {}
        return record | {"candidates": others} | lost

    def keeps_unreadable(self, line: bytes) -> bool:
        """See ``Judge``."""
        return not self._person.found_in(line)

    def _look(self, line: bytes, seen: dict[_Key, _Seen]) -> None:
        try:
            record = msgspec.json.decode(line, type=Record)
        except UNREADABLE:
            return
        track, who = seen.setdefault(key_of(record), _Seen()), self._who(record)
        track.note_times(record)
        if record.get("kind") == "track":
            track.has_track, track.now = True, who
            track.ever |= who == "theirs"
            first = _first(record)
            track.likely = not who and record.get("decision") == "undecided" and self._is_person(first)
        elif record.get("kind") == "face":
            track.face |= who == "theirs"
            track.another_face |= who == "another"
            seconds = record.get("pts_seconds")
            if who == "theirs" and isinstance(seconds, int | float):
                self._alone.append((key_of(record)[0], seconds, seconds))

    def _look_for_lost(self, line: bytes, folder: Folder) -> None:
        try:
            track = msgspec.json.decode(line, type=_Pictured)
        except UNREADABLE:
            return
        there = ((folder.path / name).is_file() for name in track.files.values() if "\0" not in name)
        if track.picture and track.files and not any(there):
            self._lost.setdefault((track.stream, track.track_id), set()).update(one.frame_index for one in track.picture.frames)

    def _find(self, line: bytes) -> None:
        with contextlib.suppress(*UNREADABLE):
            face = msgspec.json.decode(line, type=_Face)
            self._lost.get((face.stream, face.track_id), set()).discard(face.frame_index)

    def _who(self, record: Record) -> str:
        if record.get("decision") != "known" or (first := _first(record)) is None:
            return ""
        return "theirs" if self._is_person(first) else "another"

    def _is_person(self, candidate: Any) -> bool:
        return isinstance(candidate, dict) and self._person.is_name(candidate.get("identity"))


def _without_pictures(track: Record) -> Record:
    """Return the record of a track without all that shows it, also by names that a later version gave; its vector stays."""
    parts = track.get("parts") or []
    vectors = [one for one in parts if isinstance(one, dict) and one.get("name") == "embedding"]
    if parts == vectors and not track.get("picture") and not track.get("files"):
        return track
    return track | {"picture": None, "files": {}, "parts": vectors}


def _first(record: Record) -> Any:
    candidates = record.get("candidates")
    return candidates[0] if isinstance(candidates, list) and candidates else None
