"""Cuts an output directory back to what a resumed run keeps.

After a kill at any moment the same plan is made and carried out again: records are only ever removed, each file is replaced in
one step, and no checkpoint that had become invalid can become valid again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from engine.archive.chain_cuts import cut, find
from engine.archive.chain_writer import ChainWriter
from engine.archive.checkpoints import (
    PROGRESS,
    AnyNote,
    CheckpointNote,
    DoneNote,
    InputNote,
    encode_note,
    is_over,
    read_notes,
)
from engine.archive.files import cut_torn_line, keep_lines, whole_lines
from engine.archive.pieces import REJECTED
from engine.archive.reader import NamedFiles
from engine.archive.record_check import RECORDS, decode_record, size_of
from engine.archive.rejected import is_whole
from engine.archive.resume import LINES, Resume
from engine.archive.vector_files import row_bytes, vector_files
from engine.contracts.messages import Stream
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.whole_file import left_by_a_kill, sync_directory, write_whole


def rewind(directory: Path, resume: Resume, chain: ChainWriter) -> None:
    """Drop what ``resume`` does not keep; for a restarted publisher, only what is torn. The chain is told.

    Raises:
        PublishError: the directory has changed since it was read, or its chain is damaged.
        OSError: it cannot be written.
    """
    changed = [name for name, size in resume.sizes.items() if size_of(directory / name) != size]
    if changed:
        raise PublishError(f"{directory} has changed since it was read ({', '.join(changed)}): start the run again")
    _remove_leftovers(directory)
    if resume.append:
        for name in LINES:
            cut_torn_line(directory / name)
        _cut_embeddings(directory)
        chain.go_on(directory)
        return
    find(chain, directory, "resume")
    chain.sync()
    for name in RECORDS:
        keep_lines(directory / name, lambda line: _keeps_record(resume, line))
    keep_lines(directory / REJECTED, lambda line: is_whole(directory, line) and _keeps_record(resume, line))
    keep_lines(directory / "stream.jsonl", lambda line: _keeps_event(resume, line))
    _cut_embeddings(directory)
    notes = [note for note in read_notes(directory) if _keeps_note(resume, note)]
    write_whole(directory / PROGRESS, b"".join(map(encode_note, notes)))
    sync_directory(directory)
    _remove_pictures(directory)
    cut(chain, directory, "resume")


def _keeps_record(resume: Resume, line: bytes) -> bool:
    record = decode_record(line)
    if record is None or record.key in resume.broken:
        return False
    return record.stream not in resume.limits or record.track_id < resume.limits[record.stream]


def _keeps_event(resume: Resume, line: bytes) -> bool:
    """A recording that is read on has not ended; one that is read from the start has not begun."""
    try:
        event = msgspec.json.decode(line, type=Stream)
    except UNREADABLE:
        return False
    limit = resume.limits.get(event.stream)
    return limit is None or (limit > 0 and not is_over(event))


def _keeps_note(resume: Resume, note: AnyNote) -> bool:
    match note:
        case InputNote():
            return resume.limits.get(note.stream) != 0
        case DoneNote():
            return note.stream in resume.done
        case CheckpointNote():
            return note.stream in resume.done or note.frame_index < resume.first_frames.get(note.stream, 0)
    return False  # marks: the files are shorter now


def _cut_embeddings(directory: Path) -> None:
    """Leave whole rows only, so that the next one begins where it should."""
    for path in vector_files(directory):
        size = path.stat().st_size
        if torn := size % row_bytes(path.name):
            os.truncate(path, size - torn)


def _remove_pictures(directory: Path) -> None:
    """Delete the pictures that no line names, and the folders that are empty then."""
    named: set[str] = set()
    for name in (*RECORDS, REJECTED):
        for line in whole_lines(directory / name):
            named.update(msgspec.json.decode(line, type=NamedFiles).files.values())
    for folder, _, names in os.walk(directory / "faces", topdown=False):
        inside = Path(folder).relative_to(directory).as_posix()
        for name in names:
            if f"{inside}/{name}" not in named:
                (Path(folder) / name).unlink()
        with contextlib.suppress(OSError):  # not empty
            Path(folder).rmdir()


def _remove_leftovers(directory: Path) -> None:
    """Delete what a kill left of files that were about to replace others."""
    for name in ("run.json", "report.html", PROGRESS, *LINES):
        for path in left_by_a_kill(directory / name):
            path.unlink()
