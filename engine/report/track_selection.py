"""Of a run's tracks the first by time, and what there is to count, in memory that does not grow with the run."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from engine.archive.reader import FaceLine, TrackLine, TrackRecord, face_lines, track_lines
from engine.contracts.findings import Decision
from engine.contracts.track_picture import keeps_picture

_PAGE_BITS = 1 << 16
Key = tuple[str, int]


@dataclass
class Selection:
    """The tracks to show, and totals over all of them."""

    records: list[TrackRecord]
    """By time."""
    tracks: int = 0
    faces: int = 0
    decisions: Counter[Decision] = field(default_factory=Counter)


def select_tracks(directory: Path, most: int, faces_per_track: int) -> Selection:
    """Return the first ``most`` tracks by time, each with its best faces.

    The faces are read twice. Besides the tracks that are returned, memory holds a bit or so for each track that has ended, and
    three faces of each that has not, as after a kill.

    Raises:
        PublishError: a file cannot be read.
    """
    first = _First(most)
    found = Selection([])
    ended, open_tracks = _Ids(), dict[Key, TrackLine]()
    for line in track_lines(directory):
        key = (line.track.stream, line.track.track_id)
        if not line.track.ended:
            if key not in ended:
                open_tracks[key] = _with_picture(line, open_tracks.get(key))
        elif ended.add(key):
            line = _with_picture(line, open_tracks.pop(key, None))
            found.decisions[line.track.decision] += 1
            first.offer(TrackRecord(*key, line.track, files=line.files))
    for record in _unfinished(directory, ended, open_tracks, found):
        found.decisions[record.decision] += 1
        first.offer(record)
    found.tracks = found.decisions.total()
    found.records = first.in_order()
    _give_faces(directory, found.records, faces_per_track)
    return found


def _with_picture(line: TrackLine, before: TrackLine | None) -> TrackLine:
    """Return a line of a track with the newest picture that there is of it, which an earlier one may have; see
    ``keeps_picture``."""
    if before is None or line.track.picture is not None or not keeps_picture(before.track.decision, line.track.decision):
        return line
    return TrackLine(replace(line.track, picture=before.track.picture), before.files | line.files)


def _unfinished(directory: Path, ended: _Ids, open_tracks: dict[Key, TrackLine], found: Selection) -> Iterator[TrackRecord]:
    """Count all faces; yield the tracks without a last word, each with its best face, its first and its last."""
    records = {key: TrackRecord(*key, line.track, files=line.files) for key, line in open_tracks.items()}

    def is_unfinished(stream: str, track_id: int) -> bool:
        found.faces += 1
        return (stream, track_id) not in ended

    for line in face_lines(directory, is_unfinished):
        key = (line.face.stream, line.face.track_id)
        record = records.setdefault(key, TrackRecord(*key))
        record.faces = _outline([*record.faces, line])
    yield from records.values()


def _outline(faces: list[FaceLine]) -> list[FaceLine]:
    """Return the best one, and those that give the span."""
    kept = [min(faces, key=_best_first), min(faces, key=_time), max(faces, key=_time)]
    return list({id(line): line for line in kept}.values())


def _time(line: FaceLine) -> float:
    return line.face.pts_seconds


def _give_faces(directory: Path, records: list[TrackRecord], faces_per_track: int) -> None:
    """Read the faces of these tracks, of each the best."""
    wanted = {(record.stream, record.track_id): record for record in records}
    for record in records:
        record.faces = []
    for line in face_lines(directory, lambda stream, track_id: (stream, track_id) in wanted):
        record = wanted[line.face.stream, line.face.track_id]
        record.faces.append(line)
        record.faces_seen += 1
        if len(record.faces) > 4 * faces_per_track:
            _keep_best(record, faces_per_track)
    for record in records:
        _keep_best(record, faces_per_track)


def _keep_best(record: TrackRecord, count: int) -> None:
    """Keep the best faces, the best one with a scene, and those that the track's picture was made from, or would have been."""
    picture = record.track.picture if record.track else None
    used = {frame.frame_index for frame in picture.frames}.union(picture.rejected) if picture else set()
    record.faces.sort(key=_best_first)
    scene = next((line for line in record.faces if "scene" in line.files), None)
    record.faces[count:] = [line for line in record.faces[count:] if line is scene or line.face.frame_index in used]


def _best_first(line: FaceLine) -> tuple[float, int]:
    return -line.face.quality.score, line.face.seq


class _First:
    """Keeps those that come first by time, of all that are offered."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[_Latest] = []

    def offer(self, record: TrackRecord) -> None:
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, _Latest(record))
        else:
            heapq.heappushpop(self._heap, _Latest(record))

    def in_order(self) -> list[TrackRecord]:
        return [one.record for one in sorted(self._heap, reverse=True)]


class _Latest:
    """Orders records so that the last one by time is the smallest."""

    def __init__(self, record: TrackRecord) -> None:
        self.record = record
        self._key = (record.span_seconds, record.stream, record.track_id)

    def __lt__(self, other: _Latest) -> bool:
        return self._key > other._key


class _Ids:
    """A set of tracks: one bit each, in pages, as ids begin anew far higher after the death of a worker."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, int], bytearray] = {}

    def add(self, key: Key) -> bool:
        """Add a track; return whether it is new."""
        page, byte, bit = self._place(key)
        bits = self._pages.setdefault(page, bytearray(_PAGE_BITS // 8))
        new = not bits[byte] & bit
        bits[byte] |= bit
        return new

    def __contains__(self, key: Key) -> bool:
        page, byte, bit = self._place(key)
        return page in self._pages and bool(self._pages[page][byte] & bit)

    @staticmethod
    def _place(key: Key) -> tuple[tuple[str, int], int, int]:
        stream, track_id = key
        number, place = divmod(track_id, _PAGE_BITS)
        return (stream, number), place // 8, 1 << place % 8
