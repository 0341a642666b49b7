"""The faces of a photograph, upright: the only one, or all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contracts.findings import Quality
from engine.contracts.frames import Float32, Uint8
from engine.crop.quality import assess
from engine.detect.detector import Detector
from engine.detect.nested import shares
from engine.detect.second_look import SecondLook
from engine.enrolment.closer_look import SeenFace, look_closer, out_of_frame
from engine.enrolment.search import find_places, framed
from engine.enrolment.turns import turn_boxes, turn_picture
from engine.errors import EnrolmentRefused
from engine.pictures.colour import planes_from_bgr

_A_FACE, _A_TURNED_FACE = 0.5, 0.6
"""``SeenFace.certainty`` from which a photograph shows somebody, as it lies and turned. Most photographs lie right, so turned
ones must say it more clearly."""
_SMALL_PX, _A_SMALL_FACE = 48.0, 0.7
"""And from which it shows somebody smaller than this: there most false alarms are."""
_ANOTHER_FACE, _ANOTHER_WAY_UP = 0.4, 0.7
"""From which it shows somebody else, too: the same way up, and lying beside."""
_SMALLEST_PX = 16.0
"""What is smaller is nobody who could be meant: faces of this size cannot be told from leaves and bricks."""
_BACKGROUND = 1 / 6
"""Faces smaller than this share of the largest are not counted: pictures on a wall, passers-by far behind."""
_OTHER_WAY_UP = 0.1
"""As far the certainty must be above that of the same face on its head, to say which of them it is."""
_FILLS = 0.5
"""So much of a picture's shorter side a face has to fill that was seen only with a frame around it."""
_SAME_PLACE = 0.5
_NOBODY = "{path} shows no face that could be found: give a clear frontal picture"


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photograph of one person."""

    bgr: Uint8
    """(height, width, 3), the photograph turned upright; only the face's box where there are no landmarks."""
    landmarks: Float32 | None
    """(5, 2) in its pixels."""
    quality: Quality
    turned_degrees: int
    """By how much the photograph was turned, counter-clockwise: 0, 90, 180 or 270."""
    box: Float32 | None = None
    """(4,) of the face in ``bgr``: x, y, width, height; None: all of it."""


def find_people(path: Path, picture: Uint8, detector: Detector, second_look: SecondLook | None) -> list[Portrait]:
    """Return everyone whose face a picture shows clearly, the largest first; the same arguments as ``find_portrait``.

    Raises:
        EnrolmentRefused: it is too small for a face, or shows nobody.
        InferenceError: the detector fails.
    """
    _check_size(path, picture)
    faces = _likely_faces(picture, detector, second_look)
    sure = [turns for turns in faces if _is_sure(turns[0])]
    if not sure:
        raise EnrolmentRefused(_NOBODY.format(path=path))
    sure.sort(key=lambda turns: -_size(turns[0]))
    return [_upright(picture, turns[0]) for turns in sure]


def find_portrait(path: Path, picture: Uint8, detector: Detector, second_look: SecondLook | None = None) -> Portrait:
    """Return the one face of a picture.

    Args:
        path: for messages.
        picture: (height, width, 3) uint8 BGR; it may lie on its side or head.
        detector: finds faces.
        second_look: says whether what was found is a face; None: the detector is believed.

    Raises:
        EnrolmentRefused: it is too small for a face, or shows nobody, several people, or somebody of whom it cannot be told
            which way up they are.
        InferenceError: the detector fails.
    """
    _check_size(path, picture)
    turns = _of_the_only_face(path, _likely_faces(picture, detector, second_look))
    face = turns[0]
    on_its_head = next((other.certainty for other in turns if (other.turn - face.turn) % 4 == 2), 0.0)
    if face.certainty - on_its_head < _OTHER_WAY_UP:
        raise EnrolmentRefused(f"in {path} it is unclear which way up the face is: give a clear frontal picture")
    return _upright(picture, face)


def _check_size(path: Path, picture: Uint8) -> None:
    height, width = picture.shape[:2]
    if min(height, width) < _SMALLEST_PX:
        least = f"a face of {_SMALLEST_PX:.0f} px does not fit into them"
        raise EnrolmentRefused(f"{path} has only {width}x{height} pixels, and {least}: give a larger picture")


def _upright(picture: Uint8, face: SeenFace) -> Portrait:
    turned = turn_picture(picture, face.turn)
    quality = assess(planes_from_bgr(turned, full_range=True), face.box, face.landmarks, face.score)
    if face.landmarks is None:
        x, y, width, height = face.box.tolist()
        turned = turned[max(0, round(y)) : max(1, round(y + height)), max(0, round(x)) : max(1, round(x + width))]
    return Portrait(turned, face.landmarks, quality, 90 * face.turn, None if face.landmarks is None else face.box)


def _likely_faces(picture: Uint8, detector: Detector, second_look: SecondLook | None) -> list[list[SeenFace]]:
    """Return how each face was seen; where there is none, that of a picture which was cut to a face."""
    faces = _believed(picture, detector, second_look)
    if any(_is_sure(turns[0]) for turns in faces):
        return faces
    around, scale, border_px = framed(picture)
    seen = [[out_of_frame(face, scale, border_px) for face in turns] for turns in _believed(around, detector, second_look)]
    return [turns for turns in seen if _size(turns[0]) >= _FILLS * min(picture.shape[:2])] or faces


def _believed(picture: Uint8, detector: Detector, second_look: SecondLook | None) -> list[list[SeenFace]]:
    faces = _faces(picture, detector)
    return [turns for turns in faces if second_look is None or _may_be_a_face(picture, turns[0], second_look)]


def _faces(picture: Uint8, detector: Detector) -> list[list[SeenFace]]:
    """Return how each face was seen; the picture is searched turned only where nobody in it is upright."""
    places = find_places(picture, detector, (0,))
    faces = _different(picture, look_closer(picture, places, detector))
    if any(turns[0].turn == 0 and _is_sure(turns[0]) for turns in faces):
        return faces
    places = np.concatenate([places, find_places(picture, detector, (1, 2, 3))])
    return _different(picture, look_closer(picture, places, detector))


def _of_the_only_face(path: Path, faces: list[list[SeenFace]]) -> list[SeenFace]:
    """Return how the only face was seen, the surest turn first."""
    sure = [turns[0] for turns in faces if _is_sure(turns[0])]
    if not sure:
        raise EnrolmentRefused(_NOBODY.format(path=path))
    largest = max(map(_size, sure))
    way_up = max(sure, key=lambda face: face.certainty).turn
    people = [
        turns
        for turns in faces
        if _size(turns[0]) >= _BACKGROUND * largest and (turns[0].turn == way_up or turns[0].certainty >= _ANOTHER_WAY_UP)
    ]
    if len(people) > 1:
        raise EnrolmentRefused(f"{path} shows {len(people)} faces: cut it to the person you mean")
    return people[0]


def _may_be_a_face(picture: Uint8, face: SeenFace, second_look: SecondLook) -> bool:
    """Whether it is not clearly none: that it was seen at many sizes says more for it than one look can say against it."""
    luma = planes_from_bgr(turn_picture(picture, face.turn), full_range=True).y
    return bool(second_look.faceness(luma, face.box[None])[0] >= second_look.limits.refused_below)


def _different(picture: Uint8, seen: list[list[SeenFace]]) -> list[list[SeenFace]]:
    """Leave out what is no face, and join what is one: a closer look can move two places to the same face."""
    likely = [turns for turns in seen if turns and turns[0].certainty >= _ANOTHER_FACE and _size(turns[0]) >= _SMALLEST_PX]
    likely.sort(key=lambda turns: -turns[0].certainty)
    boxes = np.zeros((0, 4), np.float32)
    kept = []
    for turns in likely:
        height, width = picture.shape[:2]
        sides = (height, width) if turns[0].turn % 2 else (width, height)
        box = turn_boxes(turns[0].box[None], -turns[0].turn, *sides)
        if not (shares(box[0], boxes) > _SAME_PLACE).any():
            kept.append(turns)
            boxes = np.concatenate([boxes, box])
    return kept


def _is_sure(face: SeenFace) -> bool:
    needed = _A_TURNED_FACE if face.turn else _A_FACE
    return face.certainty >= (needed if _size(face) >= _SMALL_PX else max(needed, _A_SMALL_FACE))


def _size(face: SeenFace) -> float:
    return float(np.sqrt(face.box[2] * face.box[3]))
