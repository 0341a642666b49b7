"""The picture that was made out of many frames of a track: how the report shows it, beside what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.track_picture import TrackPicture
from engine.report.figures import MARK, Pictures, figure, read, small, strip_of


@dataclass(frozen=True)
class Fused:
    """The picture of a track, and the faces that it was made from, as far as they are kept."""

    said: TrackPicture
    picture: tuple[str, bytes]
    """Media type and bytes."""
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


def fused_figures(pictures: Pictures, record: TrackRecord, fused: Fused) -> tuple[str, FaceLine | None]:
    """Return the picture with the map of where its frames agree over it and beside it, and the face in whose place it is."""
    said = fused.said
    agreement = pictures.img(record.files.get("agreement"), "where the frames agree", "white: the frames agree; dark: not")
    img = pictures.img(record.files.get("track"), "made from many frames")
    over = agreement.replace('class="pic"', 'class="overlay" tabindex="-1" aria-hidden="true"', 1)
    made = figure(img, "enhanced fused", f"made from {frames_words(said)}, {said.model}", MARK, over)
    reference = next((line for line, _ in fused.used if line.face.frame_index == said.frames[0].frame_index), None)
    return made, reference


def frames_words(said: TrackPicture) -> str:
    """Return how many frames a picture was made from, and whether it is mostly one of them, as of a face that turns."""
    mostly = ", mostly from one of them" if len(said.frames) > 2 and said.frames[0].weight > 0.5 else ""
    return f"{len(said.frames)} frames{mostly}"


def agreement_figure(pictures: Pictures, record: TrackRecord, fused: Fused) -> str:
    """Return the map of where the frames agree."""
    agreement = pictures.img(record.files.get("agreement"), "where the frames agree", "white: the frames agree; dark: not")
    return figure(agreement, "agreement", f"frames agree: {100 * fused.said.agreement:.0f} %")


def fused_strip(pictures: Pictures, record: TrackRecord, fused: Fused) -> str:
    """Return the faces that the picture was made from, those that did not fit, and the others."""
    shown = {id(line) for line in (*(line for line, _ in fused.used), *fused.rejected)}
    groups = [
        ("made from", [small(pictures, line, f", share {100 * weight:.0f} %") for line, weight in fused.used]),
        ("did not fit", [small(pictures, line) for line in fused.rejected]),
        ("others", [small(pictures, line) for line in record.faces if id(line) not in shown]),
    ]
    rows = [f'<span class="of">{name}</span>{"".join(faces)}' for name, faces in groups if faces]
    last = rows.pop() if rows else ""
    return "".join(f'<div class="strip">{row}</div>' for row in rows) + strip_of(record, last)
