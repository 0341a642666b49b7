"""Enrolment: pictures of one person into the gallery, each refused with a reason where it would harm recognition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from engine.contracts.frames import Detections, Float32, Uint8
from engine.contracts.messages import Quality
from engine.crop.quality import assess
from engine.detect.detector import Detector
from engine.errors import EnrolmentRefused, UsageError
from engine.runtime.colour import planes_from_bgr
from engine.verify.embedder import Embedder
from engine.verify.gallery import Gallery

_SEARCH_SIDES_PX = (1280, 480)
"""Longest side of the picture when a face is looked for: detectors miss faces that fill a large picture, and small ones in a
reduced picture; the second is tried where the first finds nobody."""
_BORDER = 0.35
"""Added around the picture in a last attempt, as a share of its sides: for pictures that were cut tightly around the face."""


@dataclass(frozen=True, slots=True)
class EnrolLimits:
    """What a picture must have. Every later comparison rests on it, so more is asked than of a face in a video."""

    min_size_px: float = 48.0
    """Geometric mean of the face box's sides; below 32 px the default embedder begins to miss its own people."""
    min_sharpness: float = 0.25
    """``Quality.sharpness``: 300 LFW faces have 0.6 to 1; blurred by 5 % of their size 0.2 to 0.46, by 10 % at most 0.25."""
    min_frontal: float = 0.7
    """``Quality.frontal``, the cosine of the yaw: 45 degrees. Of 300 LFW faces none is below, 99 % are above 0.8."""


@dataclass(frozen=True, slots=True)
class EnrolResult:
    """What became of one picture."""

    path: Path
    outcome: Literal["enrolled", "duplicate", "refused"]
    reason: str
    """One sentence; empty where it was enrolled."""
    quality: Quality | None
    """Of its face; None where none was found or it was not looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Portrait:
    bgr: Uint8
    landmarks: Float32 | None
    quality: Quality


def enrol_pictures(
    name: str,
    paths: Sequence[Path],
    detector: Detector,
    embedder: Embedder,
    gallery: Gallery,
    limits: EnrolLimits | None = None,
) -> list[EnrolResult]:
    """Enrol every picture that qualifies; one that does not never stops the others.

    Args:
        name: who it is; spaces around it are taken off.
        paths: picture files of any format that OpenCV reads.
        detector: finds the face.
        embedder: makes the vector; the gallery compares it with vectors of this embedder only.
        gallery: open for writing.
        limits: the defaults if None.

    Raises:
        UsageError: the name is empty or there are no pictures.
        GalleryError: the gallery cannot be written.
        ModelError: detector or embedder fails.
    """
    name = name.strip()
    if not name or not name.isprintable():
        raise UsageError(f"{name!r} cannot be the name of a person: give one that can be read")
    if not paths:
        raise UsageError(f"no picture to enrol for {name}: give at least one image file")
    return [_enrol(name, path, detector, embedder, gallery, limits or EnrolLimits()) for path in paths]


def _enrol(name: str, path: Path, detector: Detector, embedder: Embedder, gallery: Gallery, limits: EnrolLimits) -> EnrolResult:
    quality: Quality | None = None
    try:
        content = _read(path)
        digest = hashlib.sha256(content).hexdigest()
        holder = gallery.holder(digest, embedder.sha256)
        if holder and holder.identity == name and holder.runtime:
            return EnrolResult(path, "duplicate", f"{path} is enrolled for {name} already: nothing to do", None)
        if holder and holder.identity != name:
            raise EnrolmentRefused(
                f"{path} is enrolled for {holder.identity}: remove {holder.identity} first if it shows {name}"
            )
        portrait = find_portrait(path, _decode(path, content), detector)
        quality = portrait.quality
        check_quality(path, quality, limits)
    except EnrolmentRefused as refusal:
        return EnrolResult(path, "refused", str(refusal), quality)
    vector = embedder.embed([portrait.bgr], [portrait.landmarks])[0]
    gallery.add(
        name,
        vector,
        embedder=embedder.name,
        embedder_sha256=embedder.sha256,
        runtime=embedder.runtime,
        source_name=path.name,
        picture_sha256=digest,
        quality=quality.score,
    )
    return EnrolResult(path, "enrolled", "", quality)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnrolmentRefused(f"{path} cannot be read ({error.strerror}): check the path") from error


def _decode(path: Path, content: bytes) -> Uint8:
    """Return the picture as (height, width, 3) BGR, upright as its EXIF data say."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None or min(picture.shape[:2]) < 8:
        raise EnrolmentRefused(f"{path} is not a picture that can be read: give a JPEG or PNG file")
    return np.asarray(picture, np.uint8)


def find_portrait(path: Path, picture: Uint8, detector: Detector) -> _Portrait:
    """Return the one face of a picture.

    Raises:
        EnrolmentRefused: it shows nobody, or several people.
    """
    (x, y, width, height), landmarks, score = _one_face(path, picture, detector)
    quality = assess(planes_from_bgr(picture, full_range=True), [x, y, width, height], landmarks, score)
    if landmarks is None:
        rows = slice(max(0, round(y)), max(1, round(y + height)))
        picture = picture[rows, max(0, round(x)) : max(1, round(x + width))]
    return _Portrait(picture, landmarks, quality)


def _one_face(path: Path, picture: Uint8, detector: Detector) -> tuple[list[float], Float32 | None, float]:
    """Return box (x, y, width, height), landmarks and score of the only face, in the file's own pixels."""
    for attempt, scale, border in _attempts(picture):
        faces = _sure(detector.detect([planes_from_bgr(attempt, full_range=True)])[0], detector.sure_score)
        if len(faces) > 1:
            raise EnrolmentRefused(f"{path} shows {len(faces)} faces: cut it to the person you mean")
        if len(faces) == 0:
            continue
        x, y, width, height = faces.boxes[0].tolist()
        box = [x / scale - border, y / scale - border, width / scale, height / scale]
        points = faces.landmarks[0]
        landmarks = ((points + 0.5) / scale - 0.5 - border).astype(np.float32) if np.isfinite(points).all() else None
        return box, landmarks, float(faces.scores[0])
    raise EnrolmentRefused(f"{path} shows no face that the detector {detector.name} finds: give a clear frontal picture")


def _sure(faces: Detections, sure_score: float) -> Detections:
    """Leave out doubtful faces where there is a sure one."""
    sure = faces.scores >= sure_score
    return Detections(faces.boxes[sure], faces.scores[sure], faces.landmarks[sure]) if sure.any() else faces


def _attempts(picture: Uint8) -> list[tuple[Uint8, float, int]]:
    """Return pictures to search, each with its scale and the border that was added before scaling, in the file's pixels."""
    attempts = []
    border = round(_BORDER * max(picture.shape[:2]))
    padded = np.asarray(cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)
    for source, shift, side in ((picture, 0, _SEARCH_SIDES_PX[0]), (picture, 0, _SEARCH_SIDES_PX[1]), (padded, border, 640)):
        scale = min(1.0, side / max(source.shape[:2]))
        small = source if scale == 1 else cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        attempts.append((np.asarray(small, np.uint8), scale, shift))
    return attempts


def check_quality(path: Path, quality: Quality, limits: EnrolLimits) -> None:
    """Check one face against the limits.

    Raises:
        EnrolmentRefused: the message names the picture, what is wrong with it, and what to do.
    """
    if quality.size_px < limits.min_size_px:
        raise EnrolmentRefused(
            f"the face in {path} is too small ({quality.size_px:.0f} px, needed {limits.min_size_px:.0f}): "
            "give a larger picture"
        )
    if quality.sharpness < limits.min_sharpness:
        raise EnrolmentRefused(
            f"the face in {path} is too blurred (sharpness {quality.sharpness:.2f}, needed {limits.min_sharpness:.2f}): "
            "give a sharper picture"
        )
    if quality.frontal < limits.min_frontal:
        raise EnrolmentRefused(
            f"the face in {path} looks too far to the side (frontal {quality.frontal:.2f}, needed {limits.min_frontal:.2f}): "
            "give one that looks into the camera"
        )
