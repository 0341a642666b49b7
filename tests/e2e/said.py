"""All that a result says of its recordings, but for the clock and for what only says who came first.

Left out are the run's id, when a message was sent and a frame was read, and ``seq``: which of two workers is faster is no
finding. Everything else is there, every picture and vector by its SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.reader import FaceLine, TrackLine
from engine.client.results import Run, load_run

_OF_THE_CLOCK = ("run_id", "seq", "sent_ns", "captured_ns")
Facts = dict[str, dict[str, Any]]
"""What is said, by what it is said of."""


def said(directory: Path, streams: Iterable[str] = ()) -> Facts:
    """Return what a directory says of some streams, or of all, without the clock."""
    run, wanted = load_run(directory), set(streams)
    faces = [line for line in run.faces() if not wanted or line.face.stream in wanted]
    firsts: dict[tuple[str, int], str] = {}
    by_seq: dict[tuple[str, int, str], str] = {}
    for line in sorted(faces, key=lambda one: (one.face.frame_index, one.face.box)):
        face = line.face
        firsts.setdefault((face.stream, face.track_id), _place(line))
        by_seq[face.stream, face.seq, face.run_id] = _place(line)
    facts: Facts = {}
    for line in faces:
        name = f"{line.face.stream}: face at {_place(line)}"
        assert name not in facts, f"{name} is there twice"
        facts[name] = _facts(run, line) | {"track": firsts[line.face.stream, line.face.track_id]}
    for track in (line for line in run.tracks() if not wanted or line.track.stream in wanted):
        known = _facts(run, track)
        if (best := known.pop("best_face_seq")) is not None:
            known["best"] = by_seq.get((track.track.stream, best, track.track.run_id))
        facts[f"{track.track.stream}: track of {firsts[track.track.stream, track.track.track_id]}"] = known
    for event in run.streams():
        if event.state in ("ended", "failed") and (not wanted or event.stream in wanted):
            facts[f"{event.stream}: end"] = _plain(event)
    counted = run.record.get("streams") or {}
    return facts | {f"{stream}: counts": counts for stream, counts in counted.items() if not wanted or stream in wanted}


def differences(before: Facts, now: Facts, ignored: Collection[str] = ()) -> list[str]:
    """Return a sentence on each thing that is not said alike, but for some fields."""
    found = [f"{name} is missing" for name in before.keys() - now.keys()]
    found += [f"{name} was not there" for name in now.keys() - before.keys()]
    for name in before.keys() & now.keys():
        found += [f"{name}: {words}" for field, words in _apart(before[name], now[name]) if field not in ignored]
    return sorted(found)


def _apart(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield name, f"{name} was {before.get(name)!r}, now {now.get(name)!r}"


def _facts(run: Run, line: FaceLine | TrackLine) -> dict[str, Any]:
    row = run.vector(line)
    files = {part: run.path(line, part) for part in line.files}
    return _plain(line.face if isinstance(line, FaceLine) else line.track) | {
        "vector": None if row is None else hashlib.sha256(row.tobytes()).hexdigest(),
        "files": {part: path and hashlib.sha256(path.read_bytes()).hexdigest() for part, path in files.items()},
    }


def _plain(message: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(message)
    return {name: value for name, value in fields.items() if name not in _OF_THE_CLOCK}


def _place(line: FaceLine) -> str:
    return f"{line.face.frame_index} {', '.join(f'{value:.2f}' for value in line.face.box)}"
