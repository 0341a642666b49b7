"""Faces of any size for a detector that knows them up to some 300 px wide: the larger ones are looked for in reduced copies.

In a picture as it is such a detector takes parts of a large face for faces, or sees nothing. A copy of a quarter of the sides
costs a sixteenth, and what is 200 px wide in the picture is 50 px wide there, which every detector finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from engine.contracts.frames import Detections, Planes, Uint8
from engine.detect.detector import Detector
from engine.detect.nested import one_a_face
from engine.detect.second_look import Faceness

_REDUCED = 4
_LARGEST_SIDE_PX = 480
"""Of the shorter side of a picture that needs no copy: faces that fill it are hardly larger than what detectors know."""
_LEAST_IN_COPY_PX = 50
"""Width in a copy from which a face counts that was found there; smaller ones are found in the larger picture."""
_MOST_PX = 16_000_000
"""Of a picture that is looked at as a whole: a network needs some 50 bytes for each. A frame of 4K has half as many."""
_TILE_PX, _SHARED_PX = 3072, 512
"""Side of a part of a larger one, and how much of it is in the next one too: more than a face that no copy shows is wide."""
_EDGE_PX = 2


class LargeFaces:
    """See ``engine.detect.Detector``; pictures with a shorter side of more than 480 px are looked at in copies, too, and
    those of more than 16 megapixels part by part.

    Args:
        detector: closed with it.
        limits: what follows from the faceness of its faces; None where it gives none.
    """

    def __init__(self, detector: Detector, limits: Faceness | None) -> None:
        self._detector, self.limits = detector, limits
        self.name, self.model_sha256, self.licence = detector.name, detector.model_sha256, detector.licence
        self.runtime, self.profile = detector.runtime, detector.profile
        self.min_score, self.sure_score = detector.min_score, detector.sure_score

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        """See ``Detector.detect``."""
        views = [_with_copies(picture) for picture in pictures]
        found = iter(self._found([view for each in views for view in each]))
        return [_joined(each, [next(found) for _ in each]) for each in views]

    def close(self) -> None:
        """See ``Detector.close``."""
        self._detector.close()

    def _found(self, views: list[Planes]) -> list[Detections]:
        if all(view.y.size <= _MOST_PX for view in views):
            return self._detector.detect(views)
        return [self._by_parts(view) if view.y.size > _MOST_PX else self._detector.detect([view])[0] for view in views]

    def _by_parts(self, picture: Planes) -> Detections:
        parts = [
            _whole_ones(picture, left, top, *self._detector.detect([part])) for left, top, part in _parts(picture)
        ]  # one after the other: that is what bounds the memory
        together = _together(parts)
        return one_a_face(together.only(np.argsort(-together.scores, kind="stable")))


def _parts(picture: Planes) -> Iterator[tuple[int, int, Planes]]:
    """Yield the parts of a large picture with the places of their upper left corners."""
    for top in _starts(picture.height_px):
        for left in _starts(picture.width_px):
            rows, columns = slice(top, top + _TILE_PX), slice(left, left + _TILE_PX)
            halves = slice(top // 2, (top + _TILE_PX) // 2), slice(left // 2, (left + _TILE_PX) // 2)
            u, v = picture.u[halves], picture.v[halves]
            yield left, top, Planes(picture.y[rows, columns], u, v, picture.matrix, picture.full_range)


def _starts(length: int) -> range:
    return range(0, max(1, length - _SHARED_PX), _TILE_PX - _SHARED_PX)


def _whole_ones(picture: Planes, left: int, top: int, faces: Detections) -> Detections:
    """Return the faces of a part, placed in the picture, without those that its edge cuts: another part has them whole."""
    begin = np.array([left, top], np.float32)
    end = np.minimum(begin + _TILE_PX, [picture.width_px, picture.height_px])
    moved = replace(faces, boxes=faces.boxes + np.append(begin, [0, 0]).astype(np.float32), landmarks=faces.landmarks + begin)
    first, last = moved.boxes[:, :2], moved.boxes[:, :2] + moved.boxes[:, 2:]
    cut = ((first < begin + _EDGE_PX) & (begin > 0)) | ((last > end - _EDGE_PX) & (end < [picture.width_px, picture.height_px]))
    return moved.only(np.flatnonzero(~cut.any(axis=1)))


def _with_copies(picture: Planes) -> list[Planes]:
    """Return a picture and its copies, each a quarter as wide and high as the one before."""
    views = [picture]
    while min(views[-1].y.shape) > _LARGEST_SIDE_PX:
        views.append(_copy(views[-1]))
    return views


def _copy(picture: Planes) -> Planes:
    width, height = picture.width_px // _REDUCED, picture.height_px // _REDUCED
    chroma = (width + 1) // 2, (height + 1) // 2
    y, u, v = _resized(picture.y, (width, height)), _resized(picture.u, chroma), _resized(picture.v, chroma)
    return Planes(y, u, v, picture.matrix, picture.full_range)


def _resized(plane: Uint8, size: tuple[int, int]) -> Uint8:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def _joined(views: list[Planes], found: list[Detections]) -> Detections:
    """Return the faces of a picture and its copies in the picture's pixels, the best first, each once."""
    large = [_in_pixels_of(views[0], view, faces) for view, faces in zip(views[1:], found[1:], strict=True)]
    if not any(map(len, large)):
        return found[0]
    together = _together([found[0], *large])
    return one_a_face(together.only(np.argsort(-together.scores, kind="stable")))


def _in_pixels_of(picture: Planes, copy: Planes, faces: Detections) -> Detections:
    """Return the larger faces of a copy where they are in the picture."""
    large = faces.only(faces.boxes[:, 2] >= _LEAST_IN_COPY_PX)
    scale = np.array([picture.width_px / copy.width_px, picture.height_px / copy.height_px], np.float32)
    return replace(large, boxes=large.boxes * np.tile(scale, 2), landmarks=large.landmarks * scale)


def _together(parts: list[Detections]) -> Detections:
    boxes, scores, landmarks = (
        np.concatenate([getattr(one, name) for one in parts]) for name in ("boxes", "scores", "landmarks")
    )
    told = [one.faceness for one in parts if one.faceness is not None]
    return Detections(boxes, scores, landmarks, np.concatenate(told) if len(told) == len(parts) else None)
