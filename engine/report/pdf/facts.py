"""What is known of a run and a track besides its pictures: when, where, with what, and the hashes of all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from engine.archive.files import inside
from engine.archive.reader import FaceLine, TrackRecord
from engine.archive.record import attempts, workers
from engine.contracts.messages import Face, Part, Stream
from engine.report.pdf.source_frames import SourceState
from engine.report.scene import PART
from engine.words.times import clock, utc_words, wall_clock

_ROLES = {
    "detector": "finds faces",
    "second_look": "checks what was found",
    "embedder": "compares faces",
    "generator": "enlarges one face",
    "fuser": "joins several frames",
}
_DRAW = ("generator", "fuser")
_CLOCKS = {
    "start_time": "as the user gave the beginning of the recording",
    "file_name": "by the name of the recording's file",
    "creation_time": "by the recording's metadata (creation_time), which may be when it was written",
}
STATES: dict[SourceState, str] = {
    "same": "not altered since it was processed (same SHA-256)",
    "other": "NOT the file that was processed: it has changed, or another one has its name",
    "gone": "not found where it was processed, or not readable",
    "not hashed": "found, but its SHA-256 was not recorded",
    "camera": "a camera: no file",
}
"""Of a source, when the document was made."""
_BRIEFLY: dict[SourceState, str] = {"same": "same", "other": "CHANGED", "gone": "not found", "not hashed": ""}


def _made_by(record: TrackRecord) -> str:
    """Return the names of what made the pictures of a track."""
    enhanced = record.best.face.enhanced if record.best else None
    picture = record.track.picture if record.track else None
    return " ".join([enhanced.model if enhanced else "", picture.model if picture else ""])


def models(run: Mapping[str, Any], drawn_by: str) -> list[tuple[str, str, str]]:
    """Return what each model of a run does, its name and its SHA-256; equal workers give one row.

    Args:
        run: ``run.json``.
        drawn_by: of models that draw pictures those whose names stand in it.
    """
    rows: dict[tuple[str, str, str], None] = {}
    for role, does in _ROLES.items():
        for facts in workers(run):
            if role in facts and f"{role}_sha256" in facts:
                if role in _DRAW and str(facts[role]) not in drawn_by.split():
                    continue
                rows[(does, str(facts[role]), str(facts[f"{role}_sha256"]))] = None
    return list(rows)


def source_name(run: Mapping[str, Any], stream: str) -> str:
    """Return the file name of a stream's recording, without its folder; empty for a camera."""
    facts = (run.get("inputs") or {}).get(stream) or {}
    return PurePath(str(facts.get("path", ""))).name


def times(record: TrackRecord, events: Sequence[Stream]) -> list[tuple[str, str]]:
    """Return when a track was seen: in its stream, and by which clock.

    Args:
        record: the track.
        events: of its stream.
    """
    first, last = record.span_seconds
    best = record.best
    told = [("first, last seen", f"{clock(first)} to {clock(last)} after the beginning")]
    if record.recorded_span_ns is not None:
        began, ended = (wall_clock(at) for at in record.recorded_span_ns)
        known = next((event.clock for event in reversed(events) if event.clock), "")
        return [*told, ("clock time", f"{began} to {ended}, {_CLOCKS.get(known, known or 'by the recording')}")]
    if best is not None and best.face.ntp_ns is not None:
        return [("clock time", f"{wall_clock(best.face.ntp_ns)} (best face), by the camera's own clock")]
    if best is not None and best.face.live:
        return [
            ("clock time", f"{wall_clock(best.face.captured_ns)} (best face), by the clock of the computer that received it")
        ]
    return [*told, ("clock time", "not known: nothing says when this recording begins")]


def hashes(
    directory: Path, run: Mapping[str, Any], record: TrackRecord, state: SourceState, scene: FaceLine | None
) -> list[tuple[str, str, str, str]]:
    """Return what a track rests on: what it is, its name, its SHA-256 as recorded, and what became of it since.

    Args:
        directory: of the run.
        run: ``run.json``.
        record: the track.
        state: of its source.
        scene: whose whole frame the page shows, where the run kept it.
    """
    stream = (run.get("inputs") or {}).get(record.stream) or {}
    rows = (
        [("source", source_name(run, record.stream), str(stream.get("sha256", "")), _BRIEFLY.get(state, ""))] if stream else []
    )
    best = record.best
    if best is not None:
        rows += [_picture(directory, part, best.files, best.face.parts, part) for part in ("original", "enhanced")]
    if scene is not None:
        rows.append(_picture(directory, "whole frame", scene.files, scene.face.parts, PART))
    if record.track is not None:
        rows += [_picture(directory, what, record.files, record.track.parts, part) for what, part in (
            ("several frames", "track"), ("agreement", "agreement"))]  # fmt: skip
    rows = [row for row in rows if row[1]]
    rows += [(does, name, sha256, "") for does, name, sha256 in models(run, _made_by(record))]
    if record.track is not None and (gallery := record.track.gallery) is not None:
        rows.append(
            ("gallery", f"version {gallery.revision}, epoch {gallery.epoch}", f"{gallery.digest} (digest of its people)", "")
        )
    software = (run.get("versions") or {}).get("facestream", "of unknown version")
    return [*rows, ("software", f"facestream {software}", "", "")]


def _picture(
    directory: Path, what: str, files: Mapping[str, str], parts: Sequence[Part], part: str
) -> tuple[str, str, str, str]:
    name = files.get(part, "")
    recorded = next((one.sha256 for one in parts if one.name == part), "")
    path = inside(directory, name) if name else None
    if path is None or not path.is_file():
        return what, PurePath(name).name, recorded, "not there" if name else ""
    now = hashlib.sha256(path.read_bytes()).hexdigest()
    return (
        what,
        PurePath(name).name,
        recorded or now,
        "" if not recorded else "same" if now == recorded else "CHANGED",
    )


def face_words(line: FaceLine) -> list[tuple[str, str]]:
    """Return where a track's best face was found, and how good it is."""
    face = line.face
    told = [
        ("best face", f"frame {face.frame_index}, {clock(face.pts_seconds)}"),
        ("face size", f"{face.box[2]:.0f} x {face.box[3]:.0f} px of {face.width_px} x {face.height_px}{_cut_off(face)}"),
        ("picture quality", f"{face.quality.score:.2f} (0 useless, 1 good)"),
    ]
    return told


def _cut_off(face: Face) -> str:
    """Return that the edge of the picture cuts a face off, where it does."""
    x, y, width, height = face.box
    inside_x, inside_y = x > 0 and x + width < face.width_px, y > 0 and y + height < face.height_px
    return "" if not face.width_px or (inside_x and inside_y) else "; cut off by the edge of the picture"


def made_at(run: Mapping[str, Any]) -> str:
    """Return when a run began, in UTC; empty where its record does not say."""
    begun = attempts(run)[0].get("started_ns")
    return utc_words(begun) if isinstance(begun, int) else ""
