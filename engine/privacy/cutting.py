"""Takes lines out of a run's records, or something out of lines, with the pictures and vectors that they alone named.

Pictures and vectors go first, then the lines that name them, each file as a whole or not at all: whatever comes between, doing
it again finishes it. Lines that are not meant keep their bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.checkpoints import PROGRESS, CheckpointNote, DoneNote, MarkNote, encode_note, read_notes
from engine.archive.files import torn_line, track_folder, whole_lines
from engine.archive.pieces import REJECTED
from engine.archive.record_check import RECORDS
from engine.contracts.manifest import sha256_of
from engine.contracts.unreadable import UNREADABLE
from engine.privacy.folder import Destroyed, Folder
from engine.whole_file import left_by_a_kill, rewriting, sync_directory

Record = dict[str, Any]
EVENTS = "stream.jsonl"
LINES = (REJECTED, *RECORDS, EVENTS)
"""In the order in which they are rewritten: whether a person was in a run, on which the first depend, the others tell."""
_KINDS = ("face", "track")
REJECTED_KIND = "rejected"
"""Of a track that was not believed, of which nobody knows whose it would be."""
_AT_ONCE, _ALL = 10_000, 0
"""Pictures and vectors that are destroyed together: the memory does not grow with the run."""


def key_of(record: Record) -> tuple[str, int]:
    """Return stream and track of a line; -1: of no track."""
    track_id = record.get("track_id")
    return str(record.get("stream")), track_id if isinstance(track_id, int) else -1


class Judge:
    """Says what becomes of each line; called more than once for each, always with the same answer."""

    def record(self, record: Record) -> Record | None:
        """Return the record as it is (the same object), what is to stand in its place, or None: the line goes."""
        return record

    def keeps_unreadable(self, line: bytes) -> bool:
        """Whether a line stays that is no JSON object, as after damage."""
        return True


class Rewritten(msgspec.Struct, frozen=True):
    """One file before and after."""

    file: str
    bytes_before: int
    bytes_after: int
    sha256_before: str
    sha256_after: str


@dataclass
class Cut:
    """What was done in one directory; with ``dry_run``, what would be."""

    tracks: int = 0
    """Of which nothing is left."""
    faces: int = 0
    """Lines of ``faces.jsonl`` that went."""
    changed: int = 0
    """Lines out of which something went."""
    unreadable: int = 0
    """Damaged lines that went."""
    rejected: int = 0
    """Rejected tracks that went."""
    gone: Destroyed = field(default_factory=Destroyed)
    files: list[Rewritten] = field(default_factory=list)

    @property
    def touches(self) -> bool:
        """Whether anything is not as it was before."""
        lines = self.faces or self.tracks or self.changed or self.unreadable or self.rejected
        return bool(lines or self.gone.pictures or self.gone.vectors)


@dataclass
class _Plan:
    """What the lines that go, or change, name."""

    folder: Folder
    gone: Destroyed
    dry_run: bool
    pictures: set[str] = field(default_factory=set)
    rows: dict[str, set[int]] = field(default_factory=dict)
    waiting: int = 0
    """Pictures and rows that are to be destroyed."""
    dropped: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """Kind, stream and track of lines that go."""
    rejected: set[tuple[str, int]] = field(default_factory=set)
    """Stream and number of rejected tracks whose lines go."""
    kept: set[tuple[str, int]] = field(default_factory=set)
    changed: int = 0
    unreadable: int = 0
    files: set[str] = field(default_factory=set)
    """Files of lines in which something changes."""

    @property
    def empty_tracks(self) -> set[tuple[str, int]]:
        """Those of which nothing is left."""
        return {(stream, track_id) for _, stream, track_id in self.dropped} - self.kept

    def note(self, record: Record, after: Record | None) -> None:
        """A record goes, or another one takes its place."""
        (stream, track_id), kind = key_of(record), str(record.get("kind"))
        if after is not None:
            self.kept.add((stream, track_id))
            self.changed += 1
        elif kind in _KINDS:
            self.dropped[kind, stream, track_id] += 1
        elif kind == REJECTED_KIND:
            self.rejected.add((stream, track_id))
        pictures = _pictures(record) - _pictures(after or {})
        self.pictures |= pictures
        self.waiting += len(pictures)
        if (row := _row(record)) is not None and _row(after or {}) != row:
            self.rows.setdefault(row[0], set()).add(row[1])
            self.waiting += 1

    def destroy(self, least: int) -> None:
        """Delete the pictures and overwrite the rows, if there are so many; a dry run counts them."""
        if self.waiting < least:
            return
        if self.dry_run:
            self.gone.pictures += sum(self.folder.is_file(name) for name in self.pictures if "\0" not in name)
            self.gone.vectors += sum(map(len, self.rows.values()))
        else:
            for name in sorted(self.pictures):
                self.folder.remove(name, self.gone)
            for file, rows in self.rows.items():
                self.folder.clear_rows(file, rows, self.gone)
        self.pictures, self.rows, self.waiting = set(), {}, 0


def cut(directory: Path, judge: Judge, *, dry_run: bool = False) -> Cut:
    """Carry out what a judge says of a run's lines.

    Args:
        directory: of a run that nobody writes to: the caller holds its lock.
        judge: of every line.
        dry_run: only count.

    Raises:
        OSError: a file cannot be read or written; doing it again finishes it.
    """
    found = Cut()
    with Folder(directory) as folder:
        names = [name for name in LINES if folder.is_file(name)]
        found.gone.refused.update(name for name in (*LINES, PROGRESS) if folder.is_link(name))
        plan = _Plan(folder, found.gone, dry_run)
        for name in names:
            _survey(plan, name, judge)
        plan.destroy(_ALL)
        found.tracks, found.changed, found.unreadable = len(plan.empty_tracks), plan.changed, plan.unreadable
        found.rejected = len(plan.rejected)
        found.faces = sum(count for (kind, _, _), count in plan.dropped.items() if kind == "face")
        if dry_run:
            return found
        for stream, track_id in sorted(plan.empty_tracks | (plan.rejected - plan.kept)):
            if track_id >= 0 and "/" not in stream:
                folder.empty(track_folder(stream, track_id), found.gone)
        for name in names:
            for left in left_by_a_kill(directory / name):
                left.unlink()
            if name in plan.files:
                found.files.append(_rewrite(directory / name, lambda line: _judged(line, judge)[0]))
        if plan.dropped and folder.is_file(PROGRESS):
            found.files.append(_correct_notes(directory, plan.dropped))
        sync_directory(directory)
    return found


def _survey(plan: _Plan, name: str, judge: Judge) -> None:
    """Look at the lines of a file; what those that go or change name is destroyed on the way."""
    path = plan.folder.path / name
    for line in whole_lines(path):
        new, record, after = _judged(line, judge)
        if new == line:
            if record is not None:
                plan.kept.add(key_of(record))
            continue
        plan.files.add(name)
        if record is None:
            plan.unreadable += 1
            continue
        plan.note(record, after)
        plan.destroy(_AT_ONCE)
    if (torn := torn_line(path)) and not judge.keeps_unreadable(torn):
        plan.files.add(name)
        plan.unreadable += 1


def _judged(line: bytes, judge: Judge) -> tuple[bytes, Record | None, Record | None]:
    """Return the line that stands in the place of one (empty: none), its record, and what became of that."""
    try:
        record = msgspec.json.decode(line, type=Record)
    except UNREADABLE:
        return (line if judge.keeps_unreadable(line) else b""), None, None
    after = judge.record(record)
    if after is record:
        return line, record, record
    return (b"" if after is None else msgspec.json.encode(after) + b"\n"), record, after


def _rewrite(path: Path, becomes: Callable[[bytes], bytes]) -> Rewritten:
    """Replace a file by what becomes of its lines, with the same mode; what stands behind the last line break goes."""
    before, after = sha256_of(path), hashlib.sha256()
    status, size = path.stat(), 0
    with rewriting(path) as new:
        for line in filter(None, map(becomes, whole_lines(path))):
            after.update(line)
            size += len(line)
            new.write(line)
    return Rewritten(path.name, status.st_size, size, before, after.hexdigest())


def _correct_notes(directory: Path, dropped: Counter[tuple[str, str, int]]) -> Rewritten:
    """Take the lines that went out of what the run vouches for (``checkpoints.py``), so that it is still known to be done."""

    def fewer(kind: str, stream: str, below: float) -> int:
        return sum(n for (k, s, track_id), n in dropped.items() if (k, s) == (kind, stream) and track_id < below)

    def corrected() -> Iterator[bytes]:
        for note in read_notes(directory):
            if isinstance(note, MarkNote):
                continue  # how far the files had grown
            if isinstance(note, CheckpointNote | DoneNote):
                below = note.next_track_id if isinstance(note, CheckpointNote) else float("inf")
                faces, tracks = (fewer(kind, note.stream, below) for kind in _KINDS)
                note = msgspec.structs.replace(note, faces=max(0, note.faces - faces), tracks=max(0, note.tracks - tracks))
            yield encode_note(note)

    notes = list(corrected())
    return _rewrite(directory / PROGRESS, _in_order(notes))


def _in_order(notes: list[bytes]) -> Callable[[bytes], bytes]:
    """The whole new text stands in the place of the first line."""
    text = [b"".join(notes)]
    return lambda line: text.pop() if text else b""


def _pictures(record: Record) -> set[str]:
    files = record.get("files")
    return {name for name in files.values() if isinstance(name, str)} if isinstance(files, dict) else set()


def _row(record: Record) -> tuple[str, int] | None:
    row = record.get("embedding")
    if isinstance(row, dict) and isinstance(row.get("file"), str) and isinstance(row.get("row"), int):
        return row["file"], row["row"]
    return None
