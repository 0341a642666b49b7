"""The pictures of one track at one scale, and what stands in the place of those that are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.archive.hiding import hides_faces, hiding_of
from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.frames import Uint8
from engine.pictures.decode import decoded
from engine.pictures.encode import encode_picture
from engine.report.figures import MARK, read
from engine.report.fused import frames_words, fused_of

_LARGEST_PX = 400
"""Sides of pictures on paper: 300 dots an inch at 34 mm."""
_JPEG_QUALITY = 95
_AGREES_BGR, _DIFFERS_BGR = (235, 235, 235), (0, 90, 255)


@dataclass(frozen=True)
class Shown:
    """One picture of a track, or why there is none."""

    title: str
    caption: str
    data: bytes | None
    original_px: tuple[int, int]
    """Width and height of the piece of the frame that it shows, in pixels of the frame."""
    is_made: bool = False
    """By a model, or out of what one has made."""
    mark: str = ""
    """What must be known of it."""


def pictures_of(directory: Path, run: Mapping[str, Any], record: TrackRecord) -> list[Shown]:
    """Return original, interpolated, enhanced, joined picture and map of agreement of a track, in this order."""
    line = record.best
    size = (line.face.crop_box[2], line.face.crop_box[3]) if line else (1, 1)
    original = _decoded(directory, line.files.get("original")) if line else None
    return [
        _original(line, run, record, original, size),
        _interpolated(line, original, size),
        _enhanced(directory, line, run, record, size),
        *_joined(directory, run, record),
    ]


def _original(
    line: FaceLine | None, run: Mapping[str, Any], record: TrackRecord, picture: Uint8 | None, size: tuple[int, int]
) -> Shown:
    width, height = size
    if picture is None or line is None:
        return Shown("Original", _why(line, "original", run, record), None, size)
    veiled = hides_faces(run) and line.face.decision != "known"
    caption = f"{width} x {height} pixels of the video, drawn as squares"
    if veiled:
        caption = "made coarse when it was stored, as the run was told to hide faces (publish.redact)"
    return Shown("Original", caption, encode_picture(_in_squares(picture), "png"), size)


def _interpolated(line: FaceLine | None, picture: Uint8 | None, size: tuple[int, int]) -> Shown:
    if picture is None or line is None:
        return Shown("Interpolated", "there is no original to enlarge", None, size)
    factor = max(1, min(4, _LARGEST_PX // max(picture.shape[:2])))
    large = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return Shown("Interpolated", "enlarged by arithmetic (bicubic): adds no detail", _jpeg(large), size)


def _enhanced(
    directory: Path, line: FaceLine | None, run: Mapping[str, Any], record: TrackRecord, size: tuple[int, int]
) -> Shown:
    picture = _decoded(directory, line.files.get("enhanced")) if line else None
    facts = line.face.enhanced if line else None
    if picture is None or facts is None:
        why = _why(line, "enhanced", run, record)
        if line is not None and facts is None and not line.files.get("enhanced") and not hides_faces(run):
            why = "not enhanced: the face is large enough as it is"
        return Shown("Enhanced", why, None, size, is_made=True)
    caption = f"drawn {facts.scale} times larger by {facts.model}"
    return Shown("Enhanced", caption, _jpeg(_small_enough(picture)), size, True, MARK)


def _joined(directory: Path, run: Mapping[str, Any], record: TrackRecord) -> list[Shown]:
    fused = fused_of(directory, record)
    if fused is None:
        said = record.track.picture if record.track else None
        why = "deleted, or moved away" if said is not None else "no picture was made of several frames of this track"
        if _is_hidden(run, record):
            why = "not kept: the run was told to hide faces (publish.redact)"
        return [Shown("Several frames", why, None, (1, 1), True), Shown("Agreement", why, None, (1, 1), True)]
    said = fused.said
    size = (max(1, said.width_px // said.scale), max(1, said.height_px // said.scale))
    picture = decoded(fused.picture[1])
    joined = Shown(
        "Several frames", f"{frames_words(said)}, joined: {said.model}",
        None if picture is None else _jpeg(_small_enough(picture)), size, True, MARK,
    )  # fmt: skip
    overlay = _agreement(fused.agreement) if fused.agreement else None
    words = f"orange: these frames differ ({100 * said.agreement:.0f} % alike, with the background)"
    return [joined, Shown("Agreement", words if overlay else "deleted, or moved away", overlay, size, True)]


def _why(line: FaceLine | None, part: str, run: Mapping[str, Any], record: TrackRecord) -> str:
    """Return why a picture is not there."""
    if line is None:
        return "no face of this track is kept (deleted, or never stored)"
    if line.files.get(part):
        return "deleted since (kept for a limited time), or moved away"
    if _is_hidden(run, record):
        return "not kept: the run was told to hide faces (publish.redact)"
    return "not kept: the run was not asked for it (publish.parts)"


def _is_hidden(run: Mapping[str, Any], record: TrackRecord) -> bool:
    redact = hiding_of(run)
    return redact == "vectors" or (redact == "blur" and record.decision != "known")


def _decoded(directory: Path, name: str | None) -> Uint8 | None:
    found = read(directory, name)
    return decoded(found[1]) if found else None


def _in_squares(picture: Uint8) -> Uint8:
    factor = max(1, -(-_LARGEST_PX // (2 * max(picture.shape[:2]))))
    return np.asarray(picture.repeat(factor, 0).repeat(factor, 1), np.uint8)


def _small_enough(picture: Uint8) -> Uint8:
    largest = max(picture.shape[:2])
    if largest <= _LARGEST_PX:
        return picture
    share = _LARGEST_PX / largest
    return np.asarray(cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)


def _agreement(grey: bytes) -> bytes | None:
    """Return the map of agreement from pale to orange, as JPEG."""
    picture = decoded(grey, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return None
    share = (np.asarray(picture, np.float32) / 255)[..., None]
    mixed = share * np.array(_AGREES_BGR, np.float32) + (1 - share) * np.array(_DIFFERS_BGR, np.float32)
    return _jpeg(_small_enough(np.asarray(np.round(mixed), np.uint8)))


def _jpeg(picture: Any) -> bytes:
    return encode_picture(np.asarray(picture, np.uint8), quality=_JPEG_QUALITY)
