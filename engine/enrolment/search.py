"""Where a photograph may show faces, whatever their scale and whichever side of it is up.

Detectors miss faces that fill a large picture, small ones in a reduced picture, and those that touch the border. So a picture
is searched at several scales, with and without a border. What is found is only a place to look at closer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.detect.detector import Detector
from engine.detect.nested import shares
from engine.enrolment.turns import turn_boxes, turn_picture
from engine.pictures.colour import planes_from_bgr

_LONGEST_SIDE_PX = 1280
_SMALLEST_SIDE_PX = 64
_SCALES = (1.0, 0.5, 0.25)
_BORDERED_SCALES = (0.5, 0.25)
"""Faces at the border that are small enough for the largest scale alone are not cut much."""
_BORDER = 0.35
"""Added around the picture, as a share of its longer side."""
_MOST_BORDERED_PX = 4 * _LONGEST_SIDE_PX
"""What is longer is reduced before: around a strip of 20,000 px the border would take a gigabyte."""
_FRAME = 0.5
"""Put around a picture that shows nobody, as a share of its longer side: detectors know faces with something around them."""
_SAME_PLACE = 0.5
"""Overlap of two boxes of one face, over the smaller of them."""
MOST_PLACES = 16


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The picture as it is searched, with the way back."""

    bgr: Uint8
    scale: float
    border_px: int


def find_places(picture: Uint8, detector: Detector, turns: Sequence[int]) -> Float32:
    """Return (N, 4) boxes in the picture as given, at most ``MOST_PLACES``, the surest first; they may reach over its border.

    Args:
        picture: (height, width, 3) uint8 BGR.
        detector: finds them.
        turns: quarters, counter-clockwise, by which the picture is turned to be searched.

    Raises:
        InferenceError: the detector fails.
    """
    boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
    for view in _views(picture):
        height, width = view.bgr.shape[:2]
        for turn in turns:
            faces = detector.detect([planes_from_bgr(turn_picture(view.bgr, turn), full_range=True)])[0]
            sides = (height, width) if turn % 2 else (width, height)
            found = turn_boxes(faces.boxes, -turn, *sides) / view.scale
            boxes.append(found - np.array([view.border_px, view.border_px, 0, 0], np.float32))
            scores.append(faces.scores)
    return _different(np.concatenate(boxes), np.concatenate(scores))


def _views(picture: Uint8) -> list[_View]:
    before = min(1.0, _MOST_BORDERED_PX / max(picture.shape[:2]))
    small = _reduced(picture, before)
    border = round(_BORDER * max(small.shape[:2]))
    bordered = np.asarray(cv2.copyMakeBorder(small, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)
    views = []
    for source, reduced, border_px, scales in ((picture, 1.0, 0, _SCALES), (bordered, before, border, _BORDERED_SCALES)):
        longest = max(source.shape[:2])
        base = min(1.0, _LONGEST_SIDE_PX / longest)
        scales = _SCALES if longest <= _LONGEST_SIDE_PX / 2 else scales
        for scale in scales:
            if scale == 1 or base * scale * longest >= _SMALLEST_SIDE_PX:
                views.append(_View(_reduced(source, base * scale), reduced * base * scale, round(border_px / reduced)))
    return views


def framed(picture: Uint8) -> tuple[Uint8, float, int]:
    """Return a picture, reduced where it is large, with a border of one colour around it, the median of its outermost pixels:
    as a wall behind a face; and its scale and the border's width, to find the way back."""
    scale = min(1.0, _LONGEST_SIDE_PX / max(picture.shape[:2]))
    small = _reduced(picture, scale)
    border = round(_FRAME * max(small.shape[:2]))
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    colour = np.median(edge, axis=0).tolist()
    around = cv2.copyMakeBorder(small, border, border, border, border, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(around, np.uint8), scale, border


def _reduced(picture: Uint8, scale: float) -> Uint8:
    if scale == 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    size = (width, height) if min(height, width) == 1 else None  # a side of a strip would vanish
    return np.asarray(cv2.resize(picture, size, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _different(boxes: Float32, scores: Float32) -> Float32:
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(left) and len(kept) < MOST_PLACES:
        kept.append(int(left[0]))
        left = left[shares(boxes[left[0]], boxes[left]) <= _SAME_PLACE]
    return boxes[kept]
