"""Whether there is a face at a place, and which way up it is.

The place is cut out and shown to the detector at sizes that it knows best, in all four turns. A face is seen in nearly all of
them when it is upright, and hardly when it lies on its side; on its head it is seen less often and less surely, with the eyes
where the mouth is. A false alarm is seen once. So the mean score over the sizes says both: no single score decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.contracts.frames import Detections, Float32, Uint8
from engine.detect.detector import Detector
from engine.detect.nested import shares
from engine.enrolment.turns import turn_boxes, turn_picture, turn_points
from engine.pictures.colour import planes_from_bgr

_FACE_SIZES_PX = (128, 104, 80, 64, 48)
_TILTS_DEGREES = (0, 30, -30)
_PLAIN = 0.7
"""Certainty from which a head is not also looked at tilted."""
_EXACT = 3
"""Of the sizes: the largest at which it was seen give the face's place."""
_MARGIN = 0.75
"""Around the place on each side, as a share of its size."""
_SAME_FACE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """One place, seen in one turn of the photograph."""

    turn: int
    """Quarters by which the photograph was turned, counter-clockwise."""
    box: Float32
    """(4,) x, y, width, height in pixels of the turned photograph; may reach over its border."""
    landmarks: Float32 | None
    """(5, 2) in the same pixels, None where the detector gives none."""
    score: float
    """The best of all sizes, 0 to 1."""
    certainty: float
    """Mean of the scores over the sizes, 0 where it was not seen; 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    bgr: Uint8
    corner: Float32
    """(2,) of its upper left corner in the photograph, x, y."""
    scale: float
    tilt_degrees: float = 0.0


def out_of_frame(face: SeenFace, scale: float, border_px: int) -> SeenFace:
    """Return a face of a picture that was ``framed`` at its place in the picture itself."""
    box = (face.box - np.array([border_px, border_px, 0, 0], np.float32)) / np.float32(scale)
    points = face.landmarks
    landmarks = None if points is None else (points - border_px + np.float32(0.5)) / np.float32(scale) - np.float32(0.5)
    return replace(face, box=box, landmarks=landmarks)


def look_closer(picture: Uint8, places: Float32, detector: Detector) -> list[list[SeenFace]]:
    """Return for each place what was seen there, the most certain turn first; nothing where it was a false alarm.

    Args:
        picture: (height, width, 3) uint8 BGR.
        places: (N, 4) as ``find_places`` returns them.
        detector: the same.

    Raises:
        InferenceError: the detector fails.
    """
    return [_look(picture, place, detector) for place in places]


def _look(picture: Uint8, place: Float32, detector: Detector) -> list[SeenFace]:
    """Look at one place; with the head held to a side, too, where it is not plain without."""
    cuts = [_cut(picture, place, size) for size in _FACE_SIZES_PX]
    seen: dict[int, SeenFace] = {}
    for tilt in _TILTS_DEGREES:
        if tilt == _TILTS_DEGREES[1] and any(face.certainty >= _PLAIN for face in seen.values()):
            break
        held = [_tilted(cut, tilt) for cut in cuts]
        shown = [planes_from_bgr(turn_picture(cut.bgr, turn), full_range=True) for turn in range(4) for cut in held]
        answers = iter(detector.detect(shown))
        for turn in range(4):
            face = _seen(picture, place, turn, [(cut, next(answers)) for cut in held])
            if face is not None and (turn not in seen or face.certainty > seen[turn].certainty):
                seen[turn] = face
    return sorted(seen.values(), key=lambda face: -face.certainty)


def _cut(picture: Uint8, place: Float32, size_px: int) -> _Cut:
    """Cut a square around a place, its border continued where the picture ends, and bring the face to a size."""
    x, y, width, height = map(float, place)
    face = max(1.0, float(np.sqrt(width * height)))
    scale, side = size_px / face, round(size_px * (1 + 2 * _MARGIN))
    corner = np.array([x + width / 2, y + height / 2]) - side / scale / 2
    low = np.floor(corner).astype(int)
    high = np.ceil(corner + side / scale).astype(int)
    rows, columns = (np.clip(np.arange(low[axis], high[axis]), 0, picture.shape[1 - axis] - 1) for axis in (1, 0))
    part = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    before = np.maximum(0, -low)
    after = np.maximum(0, high - [picture.shape[1], picture.shape[0]])
    part = np.asarray(cv2.copyMakeBorder(part, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE), np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(part, (side, side), interpolation=how), np.uint8)
    return _Cut(small, low.astype(np.float32), side / part.shape[0])


def _tilted(cut: _Cut, degrees: float) -> _Cut:
    """Turn a cut about its middle, counter-clockwise."""
    if degrees == 0:
        return cut
    side = cut.bgr.shape[0]
    turned = cv2.warpAffine(cut.bgr, _rotation(side, degrees), (side, side), borderMode=cv2.BORDER_REPLICATE)
    return replace(cut, bgr=np.asarray(turned, np.uint8), tilt_degrees=degrees)


def _rotation(side: int, degrees: float) -> np.ndarray:
    return cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1)


def _upright_again(points: Float32, cut: _Cut) -> Float32:
    """Return points (N, 2) of a tilted cut where they were before."""
    back = _rotation(cut.bgr.shape[0], -cut.tilt_degrees)
    return np.asarray(cv2.transform(points[:, None].astype(np.float32), back)[:, 0], np.float32)


def _seen(picture: Uint8, place: Float32, turn: int, views: Sequence[tuple[_Cut, Detections]]) -> SeenFace | None:
    """Join what was seen at all sizes in one turn; places are medians of the largest, where they are most exact."""
    height, width = picture.shape[:2]
    boxes, landmarks, scores = [], [], []
    for cut, faces in views:
        side = cut.bgr.shape[0]
        found = turn_boxes(faces.boxes, -turn, side, side)
        if len(found):
            middles = _upright_again((found[:, :2] + found[:, 2:] / 2 - 0.5).astype(np.float32), cut) + 0.5
            found = np.concatenate([middles - found[:, 2:] / 2, found[:, 2:]], axis=1)
        found = found / np.float32(cut.scale) + np.append(cut.corner, [0, 0]).astype(np.float32)
        here = np.flatnonzero(shares(place, found) > _SAME_FACE)
        if len(here):
            first = int(here[faces.scores[here].argmax()])
            points = _upright_again(turn_points(faces.landmarks[first], -turn, side, side), cut)
            boxes.append(found[first])
            landmarks.append((points + 0.5) / np.float32(cut.scale) - 0.5 + cut.corner)
            scores.append(float(faces.scores[first]))
    if not scores:
        return None
    box = turn_boxes(np.median(boxes[:_EXACT], axis=0)[None].astype(np.float32), turn, width, height)[0]
    points = turn_points(np.median(landmarks[:_EXACT], axis=0).astype(np.float32), turn, width, height)
    return SeenFace(turn, box, points if np.isfinite(points).all() else None, max(scores), sum(scores) / len(views))
