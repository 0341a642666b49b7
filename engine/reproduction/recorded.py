"""One track as a run has written it, with what is needed to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.archive.one_stream import one_stream
from engine.archive.reader import FaceLine, TrackLine
from engine.client.results import Run, load_run
from engine.config import Config
from engine.contracts.messages import Face, Part, Track
from engine.contracts.recording import Recording
from engine.errors import PublishError, UsageError
from engine.footage.recordings import recording_of
from engine.footage.sameness import check_same
from engine.sessions.session import AUTO, RUNTIMES

_NOT_A_PATH = ("auto", "none")


@dataclass(frozen=True)
class RecordedTrack:
    """What a directory says of a track."""

    run: Run
    config: Config
    """Of the run, with what computed its models in the place of ``auto``, and engines from where this user has them."""
    stream: str
    track_id: int
    faces: list[FaceLine]
    """In the order in which they were written."""
    last: TrackLine | None
    """The last word; None: there is none, as after a kill. An interim word knows nothing of the faces that came after it."""

    def payload(self, line: FaceLine | TrackLine, part: Part) -> bytes | None:
        """Return a part of a message as it lies in the directory; None where it is not there any more."""
        if part.name == "embedding":
            row = self.run.vector(line)
            return None if row is None else row.tobytes()
        path = self.run.path(line, part.name)
        return None if path is None else path.read_bytes()


def recorded_track(directory: Path, track_id: int, stream: str = "", engines: Path | None = None) -> RecordedTrack:
    """Return a track of a run.

    Args:
        directory: of the run.
        track_id: of the track.
        stream: of the track; empty: of the one stream that has such a track.
        engines: the folder of engines; None: this user's own.

    Raises:
        PublishError: it is not a run's directory, or was written by a version whose settings are not understood.
        UsageError: there is no such track, there are several, or it is a camera's.
    """
    run = load_run(directory)
    faces = [line for line in run.faces() if _is_meant(line.face, track_id, stream)]
    name = one_stream(track_id, (line.face.stream for line in faces))
    if name is None:
        of = f" of the stream {stream}" if stream else ""
        raise UsageError(
            f"{directory} holds no face of track {track_id}{of}: see `facestream report`, or the track_id of a line"
        )
    if faces[0].face.live or name not in run.inputs:
        raise UsageError(f"track {track_id} is of the camera {name}: only what was recorded can be made again")
    last = next((line for line in run.tracks() if line.track.ended and _is_meant(line.track, track_id, name)), None)
    config = _with_engines_of(engines, _as_computed(_config(run), run.record.get("workers") or {}))
    return RecordedTrack(run, config, name, track_id, faces, last)


def recording_again(track: RecordedTrack, moved_to: Path | None) -> Recording:
    """Return the recording of a track, which must be the one that was read, byte by byte where its SHA-256 is known.

    Raises:
        SourceError: it is not there, or another one.
    """
    facts = track.run.inputs[track.stream]
    recording = recording_of(track.stream, facts, moved_to)
    check_same(recording, facts, None)
    return recording


def _config(run: Run) -> Config:
    found: Any = run.record.get("config")
    try:
        return msgspec.convert(found, Config)
    except msgspec.ValidationError as error:
        raise PublishError(
            f"the settings in {run.directory / 'run.json'} are not understood ({error}): use the version that wrote them"
        ) from error


def _with_engines_of(folder: Path | None, config: Config) -> Config:
    """Return the settings without the folder of engines that the record names: an engine may be machine code, and the record
    may be a stranger's."""
    recorded = config.super_resolve.engines
    chosen = str(folder) if folder else recorded if recorded in _NOT_A_PATH else "auto"
    return replace(config, super_resolve=replace(config.super_resolve, engines=chosen))


def _as_computed(config: Config, workers: Mapping[str, Mapping[str, Any]]) -> Config:
    """Return the settings with the runtimes that a run took, where it was left to it which, and they are here."""
    facts = {key: str(value) for one in workers.values() for key, value in one.items()}
    detector, generator = (_plain_runtime(facts.get(f"{role}_runtime", "")) for role in ("detector", "generator"))
    detect, super_resolve = config.detect, config.super_resolve
    if detector and (detect.device, detect.runtime, detect.precision) == ("cpu", "auto", "float32"):
        detect = replace(detect, runtime=detector)
    if generator == AUTO and (super_resolve.device, super_resolve.runtime, super_resolve.precision) == ("cpu", "auto", "auto"):
        super_resolve = replace(super_resolve, runtime=generator, precision="float32")
    return replace(config, detect=detect, super_resolve=super_resolve)


def _plain_runtime(said: str) -> str:
    """Return what computed a model as it is, in float32; empty where that was an engine, or is not installed here."""
    words = said.partition(" (")[0].split() or [""]
    return words[0] if words[0] in RUNTIMES and words[-1] == "float32" and find_spec(words[0]) else ""


def _is_meant(message: Face | Track, track_id: int, stream: str) -> bool:
    return message.track_id == track_id and (not stream or message.stream == stream)
