"""Finds where an interrupted run can be resumed. It only reads; ``DirectorySink`` cuts the files back when it is opened."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.checkpoints import AnyNote, CheckpointNote, DoneNote, MarkNote, is_final, merged_inputs, read_notes
from engine.archive.files import whole_lines
from engine.archive.pieces import REJECTED
from engine.archive.reader import read_run, read_streams
from engine.archive.record_check import RECORDS, CheckedRecords, CheckedStream, check_records, decode_record, size_of
from engine.archive.rejected import rejected_lines
from engine.archive.same_job import check_same_recordings, check_same_settings, difference
from engine.contracts.counts import Counting, Counts, StreamCount
from engine.contracts.messages import Stream
from engine.contracts.recording import Recording
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.lock import DirectoryLock

LINES = (*RECORDS, "stream.jsonl", "progress.jsonl", REJECTED)
_NEWEST_BYTES = 1 << 22
"""Of each file of records: a publisher that dies has one message in hand that it may have written, the last; and where perceive
dies, too, what a recording has said since its last checkpoint comes again."""


class Said(msgspec.Struct, frozen=True):
    """A face that was written, or the end of a track."""

    stream: str
    track_id: int
    frame_index: int
    box: tuple[float, float, float, float] | None
    """Of a face; None: the track ended."""


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run goes on, and what of the earlier attempts stays."""

    first_frames: dict[str, int] = {}
    """Recordings that are not done, to the first frame whose faces are wanted; 0: from the start."""
    done: dict[str, Stream] = {}
    """Recordings that need not be read again, with their last event."""
    first_track_id: int = 1
    """Higher than every id that was used."""
    next_seq: dict[str, int] = {}
    """``<kind>/<stream>`` to the next number. Empty for a new ``run_id``, whose numbers begin at 0; a picture's name cannot
    come twice all the same, as track ids are not used again."""
    counts: Counts = Counts()
    """Of what stays: ``frames``, ``faces``, ``tracks`` and ``rejected``."""
    attempts: list[dict[str, Any]] = []
    """What ``run.json`` says of the earlier attempts, oldest first."""
    inputs: dict[str, dict[str, Any]] = {}
    """What is known of the recordings: ``path``, ``size_bytes``, ``sha256``, ``mtime_ns``."""
    workers: dict[str, Any] = {}
    """What the workers of the earlier attempt had loaded, where that is known."""
    limits: dict[str, int] = {}
    """Recordings that are not done, to the track id from which on their records go; 0: all of them."""
    tallies: dict[str, tuple[int, int]] = {}
    """Lines of faces and tracks that stay, for each recording."""
    broken: set[tuple[str, str, str, int]] = set()
    """Records that go because a payload is missing: run, kind, stream, number."""
    kept: tuple[int, int] = (0, 0)
    """Faces and tracks (lines) that stay."""
    dropped: tuple[int, int] = (0, 0)
    """Whole records of faces and tracks that go; they are found again."""
    sizes: dict[str, int] = {}
    """Of the files at the time of the look."""
    append: bool = False
    """Only torn lines go: the run itself goes on with another publisher."""
    newest: list[Said] = []
    """For another publisher: the faces, and ends of tracks, that were written last."""


def plan_resume(
    directory: Path,
    run: Mapping[str, Any],
    recordings: Mapping[str, Recording],
    *,
    same_run: bool = False,
) -> Resume | None:
    """Return where the run in a directory can go on, None if there is none yet.

    Every picture and embedding is compared with its SHA-256. A recording goes on after the newest checkpoint before which
    nothing is missing; streams that are not among ``recordings`` are cameras, all of whose whole records stay.

    Args:
        directory: as ``DirectorySink`` left it, also after a kill or a power cut.
        run: ``config`` and ``versions`` of the run that wants to go on, as for ``DirectorySink``.
        recordings: stream name to recording.
        same_run: the earlier attempt is of this same run. A recording that has changed since then ends nothing: it is begun
            anew, or left as it is where it is done.

    Raises:
        ConfigError: it is another job: other settings, or other recordings.
        PublishError: another process writes there, or the directory does not hold a readable run.
    """
    if not _holds_anything(directory):
        return None
    with _readable(directory), contextlib.closing(DirectoryLock(directory)):
        earlier = _read_run(directory)
        if "config" not in earlier:
            raise PublishError(f"{directory} was not written by a run: choose the output directory of the interrupted run")
        check_same_settings(directory, earlier, run)
        notes = read_notes(directory)
        inputs = merged_inputs(earlier.get("inputs") or {}, notes)
        # Before the long look at every picture: a wrong list of sources is said at once.
        used = {note.stream for note in notes if isinstance(note, CheckpointNote | DoneNote)}
        changed: set[str] = set()
        if same_run:
            known = used & recordings.keys()
            changed = {stream for stream in known if difference(inputs.get(stream, {}), recordings[stream])}
        else:
            check_same_recordings(directory, inputs, recordings, used)
        return _plan(directory, earlier, notes, inputs, recordings, changed, check_records(directory))


def reopen(directory: Path) -> Resume:
    """Return how another publisher of the same run goes on; quick, as only the ends of the files are read.

    What it lost is not known, so it vouches for no recording any more: a later resume goes back to the last checkpoint before.

    Raises:
        PublishError: another process writes there, or the directory does not hold a readable run.
    """
    with _readable(directory), contextlib.closing(DirectoryLock(directory)):
        earlier = _read_run(directory)
        notes = read_notes(directory)
        mark = next((note for note in reversed(notes) if isinstance(note, MarkNote)), MarkNote({}, {}, 1))
        next_seq, next_track_id = dict(mark.next_seq), mark.next_track_id
        for name in (*RECORDS, "stream.jsonl"):
            for line in whole_lines(directory / name, mark.sizes.get(name, 0)):
                record = decode_record(line) or _decoded_event(line)
                if record is None or record.run_id != earlier.get("run_id"):
                    continue
                key = f"{'stream' if isinstance(record, Stream) else record.kind}/{record.stream}"
                next_seq[key] = max(next_seq.get(key, 0), record.seq + 1)
                if not isinstance(record, Stream):
                    next_track_id = max(next_track_id, record.track_id + 1)
        return Resume(
            first_track_id=next_track_id,
            # A message is sent before it is written: the number after the last line may be taken.
            next_seq={key: number + 1 for key, number in next_seq.items()},
            attempts=list(earlier.get("attempts") or []),
            inputs=merged_inputs(earlier.get("inputs") or {}, notes),
            workers=dict(earlier.get("workers") or {}),
            sizes=_sizes(directory),
            append=True,
            newest=list(_newest(directory)),
        )


def _plan(
    directory: Path,
    earlier: Mapping[str, Any],
    notes: list[AnyNote],
    inputs: dict[str, dict[str, Any]],
    recordings: Collection[str],
    changed: Collection[str],
    found: CheckedRecords,
) -> Resume:
    events = read_streams(directory)
    done: dict[str, Stream] = {}
    first_frames: dict[str, int] = {}
    rejected: dict[str, int] = {}
    # What was begun of a recording that is not among the sources any more goes.
    limits = dict.fromkeys(inputs.keys() - set(recordings), 0)
    for stream in recordings:
        whole = found.streams.get(stream, CheckedStream())
        last = events[stream][-1] if events.get(stream) else None
        if last is not None and is_final(last) and _is_done(stream, notes, whole):
            done[stream] = last
            rejected[stream] = last.counters.get("rejected", 0)
        else:
            checkpoint = None if stream in changed else _newest_checkpoint(stream, notes, whole)
            first_frames[stream] = checkpoint.frame_index + 1 if checkpoint else 0
            limits[stream] = checkpoint.next_track_id if checkpoint else 0
            rejected[stream] = checkpoint.rejected if checkpoint else 0
    kept = {
        stream: whole.below([limits[stream]])[0] if stream in limits else whole.totals
        for stream, whole in found.streams.items()
    }
    attempts = _attempts(earlier)
    used = [found.last_track_id, *(note.next_track_id - 1 for note in notes if isinstance(note, CheckpointNote | MarkNote))]
    used += [int(attempt.get("first_track_id", 1)) - 1 for attempt in attempts]
    used += [line.track_id for line in rejected_lines(directory)]
    faces, tracks = _sums(list(kept.values()))
    all_faces, all_tracks = _sums([whole.totals for whole in found.streams.values()])
    return Resume(
        first_frames=first_frames,
        done=done,
        first_track_id=max(used) + 1,
        counts=_counts(first_frames, done, limits, found, kept, rejected),
        attempts=attempts,
        inputs={stream: facts for stream, facts in inputs.items() if limits.get(stream) != 0},
        workers=dict(earlier.get("workers") or {}),
        limits=limits,
        tallies={stream: kept.get(stream, (0, 0)) for stream in recordings},
        broken=found.broken,
        kept=(faces, tracks),
        dropped=(all_faces - faces, all_tracks - tracks),
        sizes=_sizes(directory),
    )


def _is_done(stream: str, notes: list[AnyNote], whole: CheckedStream) -> bool:
    last = next((note for note in reversed(notes) if isinstance(note, DoneNote) and note.stream == stream), None)
    return last is not None and (last.faces, last.tracks) == whole.totals


def _newest_checkpoint(stream: str, notes: list[AnyNote], whole: CheckedStream) -> CheckpointNote | None:
    """Return the latest checkpoint before which nothing is missing."""
    own = [note for note in notes if isinstance(note, CheckpointNote) and note.stream == stream]
    there = whole.below([note.next_track_id for note in own])
    intact = [note for note, counts in zip(own, there, strict=True) if counts == (note.faces, note.tracks)]
    return max(intact, key=lambda note: note.frame_index, default=None)


def _counts(
    first_frames: dict[str, int],
    done: dict[str, Stream],
    limits: dict[str, int],
    found: CheckedRecords,
    kept: dict[str, tuple[int, int]],
    rejected: dict[str, int],
) -> Counts:
    frames = first_frames | {stream: event.counters.get("frames", 0) for stream, event in done.items()}
    ended = {
        stream: sum(n for track_id, n in whole.ended.items() if stream not in limits or track_id < limits[stream])
        for stream, whole in found.streams.items()
    }
    kinds: tuple[StreamCount, ...] = ("frames", "faces", "tracks", "rejected")
    counts = Counting()
    counts.run.update(dict.fromkeys(kinds, 0))
    of_faces = {stream: faces for stream, (faces, _) in kept.items()}
    for kind, of_streams in zip(kinds, (frames, of_faces, ended, rejected), strict=True):
        for stream, count in of_streams.items():
            if count:
                counts.everywhere(stream, kind, count)
    return counts.now()


def _attempts(earlier: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the attempts up to now; one that did not come to say how it ended was killed."""
    attempts = [dict(attempt) for attempt in earlier.get("attempts") or []]
    for attempt in attempts:
        if attempt.get("outcome") == "running":
            attempt["outcome"] = "killed"
    return attempts


def _read_run(directory: Path) -> dict[str, Any]:
    try:
        return read_run(directory)
    except PublishError as error:
        raise PublishError(f"{error}; without it the run cannot be resumed, start over with --overwrite") from error


def _decoded_event(line: bytes) -> Stream | None:
    try:
        return msgspec.json.decode(line, type=Stream)
    except UNREADABLE:
        return None


def _sums(counts: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(faces for faces, _ in counts), sum(tracks for _, tracks in counts)


def _newest(directory: Path) -> Iterator[Said]:
    for name in RECORDS:
        for line in whole_lines(directory / name, size_of(directory / name) - _NEWEST_BYTES):
            record = decode_record(line)  # None of the first, where that is half a line
            if record is not None and (record.kind == "face" or record.ended):
                yield Said(record.stream, record.track_id, record.frame_index, record.box)


def _sizes(directory: Path) -> dict[str, int]:
    return {name: size_of(directory / name) for name in ("run.json", *LINES)}


def _holds_anything(directory: Path) -> bool:
    """Whether there is a run; the files of one without its ``run.json`` count too, and are an error later."""
    return any((directory / name).exists() for name in ("run.json", *LINES, "faces"))


@contextlib.contextmanager
def _readable(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(f"cannot read the output directory {directory}: {error.strerror}") from error
