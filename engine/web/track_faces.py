"""One track with its faces, and on what its decision rests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.backwards import lines_backwards
from engine.archive.expiry import first_line_since
from engine.archive.files import whole_lines
from engine.archive.lines import decoded
from engine.archive.reader import recorded
from engine.archive.record import settings
from engine.contracts.messages import Face, Track
from engine.web.problems import Refusal
from engine.web.timeline import Timeline, checked_stream
from engine.web.track_values import TrackShown

_MOST_FACES = 200
_LOOK_BYTES, _NEWEST_BYTES = 256 << 20, 32 << 20
_BEFORE_NS, _AFTER_NS = 120 * 10**9, 60 * 10**9
"""A face is sent some time after it was seen, and a track ends some time after its last face."""
_DECIDING = ("min_faces", "false_name_rate", "target_fmr", "known_cosine", "unknown_cosine", "embedder")


def show_track(timeline: Timeline, run: str, stream: str, track_id: int) -> TrackShown:
    """Return a track with its best faces.

    Raises:
        Refusal: it is not kept.
    """
    directory = timeline.directory(run)
    try:
        track = timeline.find(run, checked_stream(stream), track_id)
        faces = _best_of(_faces(directory, track))
    except Refusal:
        faces = _best_of(_newest_faces(directory, stream, track_id))
        if not faces:
            raise
        track = _so_far(faces)
    shown = [_with_pictures(timeline, run, face) for face in faces]
    named = next((face for face in shown if face["seq"] == track.best_face_seq and face["run_id"] == track.run_id), None)
    item = timeline.item(run, track)
    known = {name: getattr(item, name) for name in item.__struct_fields__}
    return TrackShown(
        **known | {"best": named or (shown[0] if shown else None), "all": shown, "settings": _deciding(directory)}
    )


def _so_far(faces: list[Face]) -> Track:
    """Return what is known of a track of which nothing has been said yet but its faces, the best first."""
    best, first, last = faces[0], min(faces, key=_time), max(faces, key=_time)
    return Track(
        run_id=best.run_id, stream=best.stream, seq=-1, sent_ns=last.sent_ns, track_id=best.track_id, ended=False,
        first_pts_seconds=first.pts_seconds, last_pts_seconds=last.pts_seconds, first_pts=first.pts, last_pts=last.pts,
        time_base=best.time_base, frames_seen=0, faces_enhanced=len(faces), best_face_seq=best.seq, decision=best.decision,
        candidates=best.candidates, gallery_version=best.gallery_version, first_recorded_ns=first.recorded_ns,
        last_recorded_ns=last.recorded_ns,
    )  # fmt: skip


def _time(face: Face) -> float:
    return face.pts_seconds


def _newest_faces(directory: Path, stream: str, track_id: int) -> Iterator[Face]:
    """Yield the faces of a track that goes on, as far as they are among the newest of the run."""
    budget, wanted = _NEWEST_BYTES, b'"track_id":%d,' % track_id
    try:
        for _, line in lines_backwards(directory / "faces.jsonl"):
            budget -= len(line)
            if budget < 0:
                return
            if wanted in line and (face := decoded(line, Face)) and (face.stream, face.track_id) == (stream, track_id):
                yield face
    except OSError:
        return


def _faces(directory: Path, track: Track) -> Iterator[Face]:
    """Yield the faces of a track: they were sent in the time that it took, or somewhat longer where the machine was late."""
    took_ns = int(max(0.0, track.last_pts_seconds - track.first_pts_seconds) * 3e9)
    path, budget = directory / "faces.jsonl", _LOOK_BYTES
    wanted = b'"track_id":%d,' % track.track_id
    try:
        for line in whole_lines(path, first_line_since(path, track.sent_ns - took_ns - _BEFORE_NS)):
            budget -= len(line)
            if budget < 0:
                return
            if wanted not in line:
                continue
            face = decoded(line, Face)
            if face is None or face.track_id != track.track_id or face.stream != track.stream:
                continue
            if track.ended and face.sent_ns > track.sent_ns + _AFTER_NS:
                return
            yield face
    except OSError:
        return


def _best_of(faces: Iterator[Face]) -> list[Face]:
    kept: list[Face] = []
    for face in faces:
        kept.append(face)
        if len(kept) > 2 * _MOST_FACES:
            kept.sort(key=_best_first)
            del kept[_MOST_FACES:]
    return sorted(kept, key=_best_first)[:_MOST_FACES]


def _best_first(face: Face) -> tuple[float, int]:
    return -face.quality.score, face.seq


def _with_pictures(timeline: Timeline, run: str, face: Face) -> dict[str, Any]:
    known: dict[str, Any] = msgspec.to_builtins(face)
    return known | {"pictures": timeline.pictures(run, face.stream, face.track_id, face.seq)}


def _deciding(directory: Path) -> dict[str, Any]:
    verify = settings(recorded(directory), "verify")
    return {f"verify.{key}": verify[key] for key in _DECIDING if key in verify}
