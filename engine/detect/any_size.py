"""Faces of any size in a picture of any size: the small ones by tiles, the large ones in reduced copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from engine.contracts.frames import Detections, Uint8
from engine.detect.detector import Detector
from engine.detect.nested import without_nested
from engine.detect.yunet_decode import suppress
from engine.pictures.colour import planes_from_bgr

_TILE_PX, _SHARED_PX = 1536, 256
"""Side of a tile, and how much of it is in the next one too: a face of that size lies whole in one of them, and a larger one is
found in the copy of half the size."""
_SMALLEST_COPY_PX = 200


def find_faces(picture: Uint8, detector: Detector) -> Detections:
    """Return the faces of a picture, the best first, each once.

    What the detector needs at a time is bounded, whatever the picture's size.

    Args:
        picture: (height, width, 3) uint8 BGR.
        detector: finds faces of up to half the side of a tile at least.

    Raises:
        InferenceError: the detector fails.
    """
    found = [_at(part, detector, *corner, factor) for part, corner, factor in _parts(picture)]
    boxes, scores, landmarks = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("boxes", "scores", "landmarks")
    )
    order = np.argsort(-scores, kind="stable")
    return without_nested(suppress(Detections(boxes, scores, landmarks).only(order), top_k=len(order)))


def _parts(picture: Uint8) -> Iterator[tuple[Uint8, tuple[int, int], float]]:
    """Yield parts of the picture and its copies, each with its corner, and how much smaller than the picture the copy is."""
    copy = picture
    while True:
        factor = picture.shape[0] / copy.shape[0], picture.shape[1] / copy.shape[1]
        for top in _starts(copy.shape[0]):
            for left in _starts(copy.shape[1]):
                yield copy[top : top + _TILE_PX, left : left + _TILE_PX], (top, left), max(factor)
        if max(copy.shape[:2]) < 2 * _SMALLEST_COPY_PX:
            return
        half = tuple(max(1, side // 2) for side in copy.shape[1::-1])
        copy = np.asarray(cv2.resize(copy, half, interpolation=cv2.INTER_AREA), np.uint8)


def _starts(length: int) -> range:
    return range(0, max(1, length - _SHARED_PX), _TILE_PX - _SHARED_PX)


def _at(part: Uint8, detector: Detector, top: int, left: int, factor: float) -> Detections:
    (found,) = detector.detect([planes_from_bgr(np.ascontiguousarray(part), full_range=True)])
    corner = np.array([left, top], np.float32)
    boxes = found.boxes.copy()
    boxes[:, :2] += corner
    return replace(
        found, boxes=boxes * np.float32(factor), landmarks=(found.landmarks + corner) * np.float32(factor), faceness=None
    )
