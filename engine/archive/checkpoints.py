"""``progress.jsonl``: the checkpoints of a run, from which an interrupted run can be resumed.

A checkpoint counts lines and does not say where they end: it stays true when the files are rewritten, and anything missing,
for whatever reason, shows as a count that does not match.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from engine.archive.files import whole_lines
from engine.contracts.messages import Stream
from engine.contracts.unreadable import UNREADABLE

PROGRESS = "progress.jsonl"
_OF_THE_FILE = frozenset(["not_a_video", "no_video", "truncated", "codec"])
"""Reasons for which a recording fails each time that it is read."""


class Note(msgspec.Struct, frozen=True, tag_field="kind"):
    """Base of the lines."""


class InputNote(Note, frozen=True, tag="input"):
    """A recording, as it was when it was read."""

    stream: str
    path: str
    size_bytes: int
    sha256: str = ""
    mtime_ns: int = 0


class CheckpointNote(Note, frozen=True, tag="checkpoint"):
    """No track of a recording is open after a frame, and everything up to it has been written."""

    stream: str
    frame_index: int
    next_track_id: int
    """The recording's tracks up to the frame have smaller ids, those after it have not."""
    faces: int
    """Lines of the recording in ``faces.jsonl`` with a smaller ``track_id``."""
    tracks: int
    """The same in ``tracks.jsonl``."""
    rejected: int = 0
    """Tracks up to the frame that were of no face, which no file holds."""


class DoneNote(Note, frozen=True, tag="done"):
    """A recording is over, and everything of it has been written."""

    stream: str
    faces: int
    tracks: int


class MarkNote(Note, frozen=True, tag="mark"):
    """How far the files had grown, so that a restarted publisher need not read them from the start."""

    sizes: dict[str, int]
    """File name to bytes."""
    next_seq: dict[str, int]
    """``<kind>/<stream>`` to the next number, up to these sizes."""
    next_track_id: int


AnyNote = InputNote | CheckpointNote | DoneNote | MarkNote
_DECODER = msgspec.json.Decoder(AnyNote)


def is_over(event: Stream) -> bool:
    """Whether this is the last event of a stream in this attempt."""
    return event.state in ("ended", "failed")


def is_final(event: Stream) -> bool:
    """Whether reading the recording again would bring nothing more: it was not cut short by a signal or a dead process, and
    did not fail for a reason that may have gone away.
    """
    if event.state == "ended":
        return event.reason != "drained"
    return event.state == "failed" and event.reason in _OF_THE_FILE


def encode_note(note: AnyNote) -> bytes:
    """Return a note as a line."""
    return msgspec.json.encode(note) + b"\n"


def read_notes(directory: Path) -> list[AnyNote]:
    """Return the readable notes of a directory in their order; none if there is no file.

    Raises:
        OSError: the file cannot be read.
    """
    notes: list[AnyNote] = []
    for line in whole_lines(directory / PROGRESS):
        try:
            notes.append(_DECODER.decode(line))
        except UNREADABLE:
            continue
    return notes


class Tally:
    """Counts the lines of one recording by track, until a checkpoint settles them."""

    def __init__(self, faces: int = 0, tracks: int = 0) -> None:
        self._settled = {"face": faces, "track": tracks}
        self._open: dict[str, Counter[int]] = {"face": Counter(), "track": Counter()}

    def note(self, kind: str, track_id: int) -> None:
        """Count a line of kind ``face`` or ``track``."""
        self._open[kind][track_id] += 1

    def settle(self, next_track_id: int | None = None) -> tuple[int, int]:
        """Return how many lines of faces and of tracks have a smaller ``track_id``, all where it is None.

        Later calls must not ask for a smaller one.
        """
        for kind, counts in self._open.items():
            below = [track_id for track_id in counts if next_track_id is None or track_id < next_track_id]
            self._settled[kind] += sum(counts.pop(track_id) for track_id in below)
        return self._settled["face"], self._settled["track"]


def merged_inputs(recorded: dict[str, dict[str, object]], notes: Iterable[AnyNote]) -> dict[str, dict[str, object]]:
    """Return what is known of each recording: the inputs of ``run.json``, and over them the notes."""
    inputs = {stream: dict(facts) for stream, facts in recorded.items()}
    for note in notes:
        if isinstance(note, InputNote):
            facts = msgspec.to_builtins(note)
            known = {key: facts[key] for key in ("path", "size_bytes", "sha256", "mtime_ns")}
            inputs[note.stream] = inputs.get(note.stream, {}) | known
    return inputs
