"""Writes ``progress.jsonl``: flushes what has been written to the disk, then records a checkpoint that vouches for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from engine.archive.checkpoints import (
    PROGRESS,
    AnyNote,
    CheckpointNote,
    DoneNote,
    InputNote,
    MarkNote,
    Tally,
    encode_note,
    is_final,
    is_over,
)
from engine.archive.files import AppendedFiles
from engine.archive.resume import Resume
from engine.contracts.messages import Face, Stream, Track, kind_of
from engine.contracts.stored import is_stored
from engine.errors import PublishError

SYNC_SECONDS = 2.0
"""Checkpoints are flushed to the disk at most so often; the end of a recording at once."""
MARK_BYTES = 16 << 20
"""A restarted publisher reads at most about so much of each file."""
_LINES = ("faces.jsonl", "tracks.jsonl", "stream.jsonl")


class CheckpointWriter:
    """Keeps count of the lines of recordings. Cameras are never vouched for, nor is anything after a restart of the publisher:
    what that lost is not known."""

    def __init__(self, files: AppendedFiles, resume: Resume, inputs: dict[str, dict[str, Any]]) -> None:
        """Go on from what a resumed run keeps.

        Args:
            files: of the directory.
            resume: an empty one for a new run.
            inputs: recordings of this run, stream name to facts.
        """
        self._files = files
        self.inputs: dict[str, dict[str, Any]] = {
            stream: resume.inputs.get(stream, {}) | inputs.get(stream, {}) for stream in sorted({*resume.inputs, *inputs})
        }
        """What is known of each recording."""
        self._vouches = not resume.append
        self._tallies = {stream: Tally(*resume.tallies.get(stream, (0, 0))) for stream in self.inputs}
        self._held: dict[str, CheckpointNote] = {}
        self._synced = time.monotonic()
        self._next_seq = dict(resume.next_seq)
        self._next_track_id = resume.first_track_id
        self._marked_bytes = 0

    def written(self, message: Face | Track | Stream) -> None:
        """Take note of a line that has been written.

        Raises:
            OSError: what has to be flushed now cannot be.
        """
        self._next_seq[f"{kind_of(message)}/{message.stream}"] = message.seq + 1
        if isinstance(message, Face | Track):
            self._next_track_id = max(self._next_track_id, message.track_id + 1)
            if self._vouches and message.stream in self._tallies:
                self._tallies[message.stream].note(kind_of(message), message.track_id)
        elif is_over(message) and self._vouches and message.stream in self._tallies:
            self._end(message)
        self._mark()
        self._sync_if_due()

    def record_input(self, stream: str, path: str, size_bytes: int, sha256: str, mtime_ns: int) -> None:
        """Note what a recording is, as it is read.

        Raises:
            PublishError: the earlier attempt, of which something is kept, read another content.
            OSError: the note cannot be written.
        """
        before = self.inputs.get(stream, {})
        if (before.get("sha256") or sha256) != sha256:
            raise PublishError(
                f"{path} (stream {stream}) has changed its content since the run was begun: put the earlier recording back, or "
                "start over with --overwrite"
            )
        place = path if is_stored(path) else str(Path(path).absolute())
        note = InputNote(stream, place, size_bytes, sha256, mtime_ns)
        facts = {"path": note.path, "size_bytes": size_bytes, "sha256": sha256, "mtime_ns": mtime_ns}
        self.inputs[stream] = before | facts
        self._tallies.setdefault(stream, Tally())
        self._note(note)

    def checkpoint(self, stream: str, frame_index: int, next_track_id: int, rejected: int = 0) -> None:
        """Hold a checkpoint until the next flush.

        Raises:
            OSError: what has to be flushed now cannot be.
        """
        if next_track_id < 1:
            raise ValueError(f"{stream}: a checkpoint needs the next track id, got {next_track_id}")
        if stream in self._tallies and self._vouches:
            faces, tracks = self._tallies[stream].settle(next_track_id)
            self._held[stream] = CheckpointNote(stream, frame_index, next_track_id, faces, tracks, rejected)
        self._sync_if_due()

    def stop_vouching(self) -> None:
        """Note no later checkpoint and no end of a recording; those that are held are still written."""
        self._vouches = False

    def drop_held(self) -> None:
        """Forget the checkpoints that are held: the lines that they would vouch for may not have come to the disk."""
        self._held.clear()

    def sync(self) -> None:
        """Flush the lines and rows, then write and flush the checkpoints that vouch for them.

        Raises:
            OSError: they cannot be written; what was vouched for before stays true.
        """
        if self._held:
            self._vouch([])

    def _end(self, event: Stream) -> None:
        faces, tracks = self._tallies[event.stream].settle()
        self._vouch([DoneNote(event.stream, faces, tracks)] if is_final(event) else [])

    def _vouch(self, notes: list[AnyNote]) -> None:
        self._files.sync()
        for note in (*self._held.values(), *notes):
            self._note(note)
        self._held.clear()
        self._files[PROGRESS].sync()
        self._synced = time.monotonic()

    def _sync_if_due(self) -> None:
        if self._held and time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def _mark(self) -> None:
        sizes = {name: self._files[name].size_bytes for name in _LINES}
        if sum(sizes.values()) - self._marked_bytes >= MARK_BYTES:
            self._marked_bytes = sum(sizes.values())
            self._note(MarkNote(sizes, dict(self._next_seq), self._next_track_id))

    def _note(self, note: AnyNote) -> None:
        self._files[PROGRESS].append(encode_note(note))
