"""Whether two output directories hold the same results, whatever tracks are called and in what order things were written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.archive.reader import FaceLine, TrackLine, face_lines, read_run, stream_lines, track_lines
from engine.archive.rejected import rejected_lines
from engine.contracts.messages import Stream

_OF_THE_WRITING = {
    "run_id",
    "seq",
    "sent_ns",
    "captured_ns",
    "track_id",
    "best_face_seq",
    "first_captured_ns",
    "last_captured_ns",
}
"""Fields that are others in every run."""
_OF_THE_MACHINE = {"published", "published_bytes", "unheard", "abandoned", "floods"}
Faces = list[tuple[dict[str, Any], dict[str, bytes]]]


def same_results(a: Path, b: Path) -> str:
    """Return the first difference between what two directories hold; empty where there is none."""
    return next(_differences(a, b), "")


def _differences(a: Path, b: Path) -> Iterator[str]:
    streams_a, streams_b = _by_stream(stream_lines(a)), _by_stream(stream_lines(b))
    if streams_a.keys() != streams_b.keys():
        yield f"streams: {sorted(streams_a)} and {sorted(streams_b)}"
        return
    tracks_a, tracks_b = _tracks(a), _tracks(b)
    for stream in sorted(streams_a):
        yield from _of_states(stream, streams_a[stream], streams_b[stream])
        one, other = tracks_a.get(stream, []), tracks_b.get(stream, [])
        if len(one) != len(other):
            yield f"{stream}: {len(one)} tracks and {len(other)}"
        for number, (mine, yours) in enumerate(zip(one, other, strict=False)):
            yield from (f"{stream}: track {number}, {words}" for words in _of_lines(mine, yours))
    one, other = ({(line.place, line.score, line.looks) for line in rejected_lines(each)} for each in (a, b))
    if one != other:
        yield f"rejected: {sorted(one)} and {sorted(other)}"
    yield from _of_runs(read_run(a), read_run(b))


def _by_stream(events: Iterator[Stream]) -> dict[str, list[Stream]]:
    found: dict[str, list[Stream]] = defaultdict(list)
    for event in events:
        found[event.stream].append(event)
    return dict(found)


def _of_states(stream: str, one: Sequence[Stream], other: Sequence[Stream]) -> Iterator[str]:
    if [event.state for event in one] != [event.state for event in other]:
        yield f"{stream}: states {[event.state for event in one]} and {[event.state for event in other]}"
    for mine, yours in zip(one, other, strict=False):
        fields = _fields(yours)
        for name, value in _fields(mine).items():
            if value != fields.get(name):
                yield f"{stream}: {mine.state}.{name} is {value!r} and {fields.get(name)!r}"


def _tracks(directory: Path) -> dict[str, list[Faces]]:
    """Return of each stream its tracks by when they began: of each its faces, and what was said of it, in order."""
    found: dict[str, dict[int, list[tuple[bool, FaceLine | TrackLine]]]] = defaultdict(lambda: defaultdict(list))
    best: dict[tuple[str, int, int], FaceLine] = {}
    for face in face_lines(directory, lambda stream, track_id: True):
        found[face.face.stream][face.face.track_id].append((False, face))
        best[face.face.stream, face.face.track_id, face.face.seq] = face
    for track in track_lines(directory):
        found[track.track.stream][track.track.track_id].append((True, track))
    told: dict[str, list[Faces]] = {}
    for stream, tracks in found.items():
        lines = [[_line(directory, line, best) for _, line in said] for said in tracks.values()]
        told[stream] = sorted(lines, key=lambda said: msgspec.json.encode([fields for fields, _ in said]))
    return told


def _line(
    directory: Path, line: FaceLine | TrackLine, best: Mapping[tuple[str, int, int], FaceLine]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    message = line.face if isinstance(line, FaceLine) else line.track
    fields = _fields(message)
    if isinstance(line, TrackLine) and line.track.best_face_seq is not None:
        fields["best"] = best[line.track.stream, line.track.track_id, line.track.best_face_seq].face.frame_index
    parts = {name: (directory / file).read_bytes() for name, file in line.files.items()}
    if line.vector is not None:
        shape = next(part.shape for part in message.parts if part.name == "embedding")
        rows = np.fromfile(directory / line.vector.file, "<f4").reshape(-1, shape[0])
        parts["embedding"] = rows[line.vector.row].tobytes()
    return fields, parts


def _fields(message: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(message).items() if name not in _OF_THE_WRITING}


def _of_lines(one: Faces, other: Faces) -> Iterator[str]:
    if len(one) != len(other):
        yield f"{len(one)} lines and {len(other)}"
    for number, ((mine, my_parts), (yours, your_parts)) in enumerate(zip(one, other, strict=False)):
        for name in sorted(mine.keys() | yours.keys()):
            if mine.get(name) != yours.get(name):
                yield f"line {number}: {name} is {mine.get(name)!r} and {yours.get(name)!r}"
        for name in sorted(my_parts.keys() | your_parts.keys()):
            if my_parts.get(name) != your_parts.get(name):
                yield f"line {number}: the bytes of {name} differ"


def _of_runs(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for key in ("inputs", "streams", "counters", "outcome"):
        mine, yours = _counted(one.get(key)), _counted(other.get(key))
        if mine != yours:
            yield f"run.json: {key} is {_only(mine, yours)} and {_only(yours, mine)}"
    models, others = _models(one), _models(other)
    if models != others:
        yield f"run.json: models {_only(models, others)} and {_only(others, models)}"


def _counted(value: Any) -> Any:
    """Without counts of nothing, and what is the machine's."""
    if not isinstance(value, Mapping):
        return value
    return {key: _counted(found) for key, found in value.items() if found != 0 and key not in _OF_THE_MACHINE}


def _only(mine: Any, yours: Any) -> Any:
    if not isinstance(mine, Mapping) or not isinstance(yours, Mapping):
        return mine
    return {key: _only(value, yours.get(key)) for key, value in mine.items() if value != yours.get(key)}


def _models(run: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for facts in run["workers"].values() for key, value in facts.items() if key.endswith("_sha256")}
