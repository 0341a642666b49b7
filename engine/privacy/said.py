"""What people have said of tracks, ``corrections.jsonl``, when a person is erased or tracks expire.

Lines stay in their order, with who said something, when, and of which tracks; what says a name goes out of them.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.archive.correction_links import links_of
from engine.archive.corrections import Correction, correction_lines, origin_of, read_corrections
from engine.archive.files import whole_lines
from engine.archive.pieces import CORRECTIONS
from engine.archive.reader import recorded
from engine.archive.record_check import RECORDS
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.lock import alone_with
from engine.privacy.cutting import Judge, Record, Rewritten
from engine.privacy.folder import Folder
from engine.privacy.mentions import Mentions
from engine.whole_file import write_whole

Key = tuple[str, int]


def tracks_named(directory: Path, person: Mentions) -> set[Key]:
    """Return the tracks of a run, by stream and id, that people have said to be a person.

    Raises:
        PublishError: the corrections cannot be read.
    """
    if not _is_there(directory):
        return set()
    links, origin = links_of(read_corrections([directory])), origin_of(recorded(directory))
    named = {ref for ref, name in links.names.items() if person.is_name(name)}
    named |= {ref for whole in links.together if whole & named for ref in whole}
    return {(ref.stream, ref.track_id) for ref in named if ref.run == origin}


def forget_person(directory: Path, person: Mentions, *, dry_run: bool = False) -> list[Rewritten]:
    """Take a person's name out of the corrections of a run, also out of notes; say which file has changed.

    Raises:
        OSError: the file cannot be written; the old one is still there.
        PublishError: it cannot be read.
    """

    def without(one: Correction) -> Correction:
        note = person.hide(one.note)
        if person.is_name(one.name):
            return msgspec.structs.replace(one, name="", note=note, erased=True)
        return one if note == one.note else msgspec.structs.replace(one, note=note, erased=True)

    return _rewrite(directory, without, dry_run)


def forget_gone(directory: Path, judge: Judge) -> list[Rewritten]:
    """Take out the names and notes that people gave to tracks of a run of which none is left.

    Args:
        directory: of the run.
        judge: has said what of its lines stays.

    Raises:
        OSError, PublishError: as ``forget_person``.
    """
    if not _is_there(directory):
        return []
    origin, there = origin_of(recorded(directory)), _left(directory, judge)

    def without(one: Correction) -> Correction:
        own = [ref for ref in (*one.tracks, *one.others) if ref.run == origin]
        if not (one.name or one.note) or not own or any((ref.stream, ref.track_id) in there for ref in own):
            return one
        return msgspec.structs.replace(one, name="", note="", erased=True)

    return _rewrite(directory, without, dry_run=False)


def _left(directory: Path, judge: Judge) -> set[Key]:
    """Return the tracks of which something stays."""
    found = set()
    with Folder(directory) as folder:
        for name in filter(folder.is_file, RECORDS):
            for line in whole_lines(directory / name):
                with contextlib.suppress(*UNREADABLE):
                    record = msgspec.json.decode(line, type=Record)
                    track_id = record.get("track_id")
                    if isinstance(track_id, int) and judge.record(record) is not None:
                        found.add((str(record.get("stream")), track_id))
    return found


def _is_there(directory: Path) -> bool:
    with Folder(directory) as folder:
        return folder.is_file(CORRECTIONS)


def _rewrite(directory: Path, becomes: Callable[[Correction], Correction], dry_run: bool) -> list[Rewritten]:
    if not _is_there(directory):
        return []
    with contextlib.nullcontext() if dry_run else alone_with(directory / CORRECTIONS):  # else a line that comes now would go
        before = correction_lines(directory)
        after = [_line(directory, line, becomes) for line in before]
        if after == before:
            return []
        old, new = b"".join(before), b"".join(after)
        if not dry_run:
            write_whole(directory / CORRECTIONS, new)
    return [Rewritten(CORRECTIONS, len(old), len(new), hashlib.sha256(old).hexdigest(), hashlib.sha256(new).hexdigest())]


def _line(directory: Path, line: bytes, becomes: Callable[[Correction], Correction]) -> bytes:
    try:
        one = msgspec.json.decode(line, type=Correction)
    except UNREADABLE as error:
        raise PublishError(f"{directory / CORRECTIONS} holds a line that is not a correction: {error}") from error
    other = becomes(one)
    return line if other is one else msgspec.json.encode(other) + b"\n"
