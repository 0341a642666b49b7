"""The tracks that somebody names, and the recordings in which they were seen."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from engine.archive.one_stream import one_stream
from engine.client.results import Key, Run
from engine.contracts.recording import Recording
from engine.errors import SourceError, UsageError
from engine.footage.clip import Moment
from engine.footage.recordings import recording_of
from engine.footage.sameness import MOST_BYTES, check_same
from engine.words.numbers import track_numbers
from engine.words.text import path_of


@dataclass(frozen=True)
class Seen:
    """When a track was seen."""

    stream: str
    track_id: int
    first_seconds: float
    last_seconds: float
    stamps: tuple[tuple[float, float], ...] = ()
    """See ``Moment``."""

    def moment(self, before: float, after: float) -> Moment:
        """Return the moment from so many seconds before it to so many after it."""
        return Moment(max(0.0, self.first_seconds - before), self.last_seconds + after, self.stamps)


def tracks_seen(run: Run, numbers: Collection[int], stream: str = "") -> list[Seen]:
    """Return when tracks were seen, in the order of their numbers; those of a killed run by their faces.

    Args:
        run: the run.
        numbers: of the tracks.
        stream: whose they are; empty: of any.

    Raises:
        UsageError: there is no such track, or there are several.
        PublishError: a file cannot be read.
    """
    found: dict[Key, Seen] = {}
    for line in run.tracks():
        track = line.track
        if track.track_id in numbers and stream in ("", track.stream):
            ends = ((track.first_pts, track.first_pts_seconds), (track.last_pts, track.last_pts_seconds))
            stamps = tuple(stamp for pts, seconds in ends for stamp in _stamp(pts, track.time_base, seconds))
            found[track.stream, track.track_id] = Seen(
                track.stream, track.track_id, track.first_pts_seconds, track.last_pts_seconds, stamps
            )
    if {number for _, number in found} != set(numbers):
        found = _by_faces(run, numbers, stream) | found
    for number in numbers:
        if one_stream(number, (one for one, track_id in found if track_id == number)) is None:
            raise UsageError(
                f"{run.directory} has no track {number}{f' of {stream}' if stream else ''}: {_there_are(run, stream)}"
            )
    return sorted(found.values(), key=lambda seen: (seen.track_id, seen.stream))


def recording_in(
    run: Run, stream: str, moved_to: Path | None = None, note: Callable[[str], None] = lambda _: None
) -> Recording:
    """Return the recording that was read for a stream: by its size and time, else by its SHA-256.

    Args:
        run: the run.
        stream: its name.
        moved_to: where the recording is now; None: where it was.
        note: is told where it may be another one, because it is too large to be compared, or its SHA-256 is not known.

    Raises:
        UsageError: the run has no such stream.
        SourceError: it was a camera, or the recording is not where it was, or is another one.
    """
    facts = run.inputs.get(stream)
    if facts is None:
        known = sorted({event.stream for event in run.streams()} | set(run.inputs))
        if stream not in known:
            raise UsageError(f"{run.directory} has no stream {stream}: it has {', '.join(known) or 'none'}")
        if "received_from" in run.record:
            return _of_received(run, stream, moved_to)
        raise SourceError(f"{stream} was a camera: the run kept faces of it, and no video", "not_found")
    recording = recording_of(stream, facts, moved_to)
    if check_same(recording, facts, MOST_BYTES) == "uncompared":
        note(f"{recording.path} has another time than the recording that was read, and was not compared with its SHA-256")
    return recording


def places_read(run: Run) -> list[Path]:
    """Return where the run has read its recordings: nothing that is made of it takes the place of one."""
    return [path_of(str(facts["path"])) for facts in run.inputs.values() if facts.get("path")]


def _of_received(run: Run, stream: str, path: Path | None) -> Recording:
    """Return the recording that is given for a stream of a run that was received: nobody knows whether it is the right one."""
    if path is None:
        raise SourceError(
            f"{run.directory} was received by `facestream watch`, and does not say where the recording of {stream} is: say it "
            "with --recording",
            "not_found",
        )
    if not path.exists():
        raise SourceError(f"{path} does not exist", "not_found")
    return Recording(stream, path)


def _by_faces(run: Run, numbers: Collection[int], stream: str) -> dict[Key, Seen]:
    found: dict[Key, Seen] = {}
    for line in run.faces():
        face = line.face
        if face.track_id not in numbers or stream not in ("", face.stream):
            continue
        key = (face.stream, face.track_id)
        before = found.get(key, Seen(*key, face.pts_seconds, face.pts_seconds))
        stamps = _stamp(face.pts, face.time_base, face.pts_seconds)
        first, last = min(before.first_seconds, face.pts_seconds), max(before.last_seconds, face.pts_seconds)
        found[key] = Seen(*key, first, last, (before.stamps + stamps)[-2:])
    return found


def _stamp(pts: int | None, time_base: tuple[int, int], seconds: float) -> tuple[tuple[float, float], ...]:
    """Return a time as the file has it and as the run counts it; nothing without one, or with a unit that is not a time."""
    return () if pts is None or min(time_base) <= 0 else ((pts * time_base[0] / time_base[1], seconds),)


def _there_are(run: Run, stream: str) -> str:
    return track_numbers(sorted(line.track.track_id for line in run.tracks() if stream in ("", line.track.stream)))
