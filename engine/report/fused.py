"""The picture that was made out of many frames of a track: how the report shows it, beside what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.track_picture import TrackPicture
from engine.report.figures import MARK, figure, read, small, strip_of, uri

_DISAGREE_BGR = (0, 90, 255)
_LEAST_DOUBT, _MOST_OPAQUE = 0.25, 0.8
"""Less doubt than this is not marked: frames of a real face never agree wholly."""


@dataclass(frozen=True)
class Fused:
    """The picture of a track, and the faces that it was made from, as far as they are kept."""

    said: TrackPicture
    picture: tuple[str, bytes]
    agreement: bytes | None
    used: list[tuple[FaceLine, float]]
    """With their weights; first the one in whose place the picture is."""
    rejected: list[FaceLine]


def fused_of(directory: Path, record: TrackRecord) -> Fused | None:
    """Return the picture of a track, None where there is none, or not any more."""
    said = record.track.picture if record.track else None
    if said is None or (picture := read(directory, record.files.get("track"))) is None:
        return None
    agreement = read(directory, record.files.get("agreement"))
    lines = {line.face.frame_index: line for line in record.faces}
    used = [(lines[frame.frame_index], frame.weight) for frame in said.frames if frame.frame_index in lines]
    rejected = [lines[index] for index in said.rejected if index in lines]
    return Fused(said, picture, agreement[1] if agreement else None, used, rejected)


def fused_figures(directory: Path, fused: Fused) -> str:
    """Return the picture, then the original that it is in the place of, and this one enhanced alone, all at one scale."""
    said = fused.said
    over = _overlay(fused.agreement) if fused.agreement else None
    above = f'<img class="overlay" src="{uri(("image/png", over))}" alt="" title="orange: the frames disagree">' if over else ""
    figures = [figure(fused.picture, "enhanced fused", f"made from {len(said.frames)} frames, {said.model}", MARK, above)]
    reference = next((line for line, _ in fused.used if line.face.frame_index == said.frames[0].frame_index), None)
    if reference is not None:
        width, height = reference.face.crop_box[2:]
        if original := read(directory, reference.files.get("original")):
            figures.append(figure(original, "pixels", f"original of one, {width} x {height} px"))
        facts = reference.face.enhanced
        if facts is not None and (alone := read(directory, reference.files.get("enhanced"))):
            figures.append(figure(alone, "enhanced", f"that one alone, {facts.model}", MARK))
    return "".join(figures)


def fused_strip(directory: Path, record: TrackRecord, fused: Fused) -> str:
    """Return the faces that the picture was made from, those that did not fit, and the others."""
    shown = {id(line) for line in (*(line for line, _ in fused.used), *fused.rejected)}
    groups = [
        ("made from", [small(directory, line, f", quality share {100 * weight:.0f} %") for line, weight in fused.used]),
        ("did not fit", [small(directory, line) for line in fused.rejected]),
        ("others", [small(directory, line) for line in record.faces if id(line) not in shown]),
    ]
    rows = [f'<span class="of">{name}</span>{"".join(faces)}' for name, faces in groups if faces]
    last = rows.pop() if rows else ""
    return "".join(f'<div class="strip">{row}</div>' for row in rows) + strip_of(record, last)


def _overlay(agreement: bytes) -> bytes | None:
    """Return as PNG what lies over a picture: nothing where its frames agree, orange where they do not."""
    grey = cv2.imdecode(np.frombuffer(agreement, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    doubt = 1.0 - grey.astype(np.float32) / 255
    opaque = np.clip((doubt - _LEAST_DOUBT) / (1.0 - _LEAST_DOUBT), 0.0, 1.0) * _MOST_OPAQUE
    over = np.empty((*grey.shape, 4), np.uint8)
    over[..., :3] = _DISAGREE_BGR
    over[..., 3] = np.round(255 * opaque)
    done, encoded = cv2.imencode(".png", over)
    return encoded.tobytes() if done else None
