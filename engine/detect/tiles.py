"""Faces of a picture of any size, tile by tile, so that what the detector needs at a time is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.contracts.frames import Detections, Planes
from engine.detect.detector import Detector
from engine.detect.nested import one_of_each

_TILE_PX, _SHARED_PX = 1536, 256
"""Side of a tile, and how much of it is in the next one too: a face of that size lies whole in one of them. Their difference is
even, as a pixel of the chroma has two of each side."""


def detect_in_tiles(detector: Detector, picture: Planes) -> Detections:
    """Return the faces of a picture, the best first, each once; larger ones than 256 px may be missed.

    Raises:
        InferenceError: the detector fails.
    """
    return one_of_each([_shifted(detector.detect([tile])[0], *corner) for corner, tile in _tiles(picture)])


def _tiles(picture: Planes) -> Iterator[tuple[tuple[int, int], Planes]]:
    """Yield the tiles, each with its left and upper edge."""
    for top in _starts(picture.height_px):
        for left in _starts(picture.width_px):
            whole = slice(top, top + _TILE_PX), slice(left, left + _TILE_PX)
            half = slice(top // 2, (top + _TILE_PX) // 2), slice(left // 2, (left + _TILE_PX) // 2)
            tile = Planes(picture.y[whole], picture.u[half], picture.v[half], picture.matrix, picture.full_range)
            yield (left, top), tile


def _starts(length: int) -> range:
    return range(0, max(1, length - _SHARED_PX), _TILE_PX - _SHARED_PX)


def _shifted(found: Detections, left: int, top: int) -> Detections:
    corner = np.array([left, top], np.float32)
    boxes = np.concatenate([found.boxes[:, :2] + corner, found.boxes[:, 2:]], axis=1)
    return replace(found, boxes=boxes, landmarks=found.landmarks + corner)
