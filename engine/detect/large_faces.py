"""Faces of any size for a detector that knows them up to some 300 px wide: the larger ones are looked for in reduced copies.

In a picture as it is such a detector takes parts of a large face for faces, or sees nothing. A copy of a third of the sides
costs a ninth, and what is 150 px wide in the picture is 50 px wide there, which every detector finds. Photographs, for
which there is time, are looked at in copies of half the sides, down to smaller ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from engine.contracts.frames import Detections, Planes, Uint8
from engine.detect.detector import Detector
from engine.detect.nested import one_of_each
from engine.detect.second_look import Faceness
from engine.detect.tiles import detect_in_tiles

_Copies = tuple[int, int]
_OF_FRAMES: _Copies = 3, 360
_OF_PHOTOGRAPHS: _Copies = 2, 240
"""How much smaller each copy is than the one before, and the shorter side in pixels of a picture that needs no copy: of frames,
faces that fill it are hardly larger than what detectors know."""
_MOST_PX = 16_000_000
"""Of a frame that is looked at as a whole: a network needs some 40 bytes for each. One of 4K has half as many."""
_LEAST_IN_COPY_PX = 50
"""Width in a copy from which a face counts that was found there; smaller ones are found in the larger picture."""


class LargeFaces:
    """See ``Detector``; pictures with a shorter side of more than 360 px, or 240 of photographs, are looked
    at in copies, too. Those of more than 16 megapixels are looked at tile by tile.

    Args:
        detector: closed with it.
        limits: what follows from the faceness of its faces; None where it gives none.
        photographs: that are looked at tile by tile, as nobody bounds their size, and in more copies.
    """

    def __init__(self, detector: Detector, limits: Faceness | None, *, photographs: bool = False) -> None:
        self._detector, self.limits, self._in_tiles = detector, limits, photographs
        self._copies = _OF_PHOTOGRAPHS if photographs else _OF_FRAMES
        self.name, self.model_sha256, self.licence = detector.name, detector.model_sha256, detector.licence
        self.runtime, self.profile = detector.runtime, detector.profile
        self.min_score, self.sure_score = detector.min_score, detector.sure_score

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        """See ``Detector.detect``."""
        views = [_with_copies(picture, *self._copies) for picture in pictures]
        whole = [view for each in views for view in each if not self._is_tiled(view)]
        found = iter(self._detector.detect(whole) if whole else ())

        def faces_of(view: Planes) -> Detections:
            return detect_in_tiles(self._detector, view) if self._is_tiled(view) else next(found)

        return [_joined(each, [faces_of(view) for view in each]) for each in views]

    def close(self) -> None:
        """See ``Detector.close``."""
        self._detector.close()

    def _is_tiled(self, view: Planes) -> bool:
        """Each for itself: what is found in a picture must not depend on those that are given with it."""
        return self._in_tiles or view.y.size > _MOST_PX


def _with_copies(picture: Planes, reduced: int, largest_side_px: int) -> list[Planes]:
    """Return a picture and its copies, each that much smaller than the one before."""
    views = [picture]
    while min(views[-1].y.shape) > largest_side_px:
        views.append(_copy(views[-1], reduced))
    return views


def _copy(picture: Planes, reduced: int) -> Planes:
    width, height = picture.width_px // reduced, picture.height_px // reduced
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
    return one_of_each([found[0], *large])


def _in_pixels_of(picture: Planes, copy: Planes, faces: Detections) -> Detections:
    """Return the larger faces of a copy where they are in the picture."""
    large = faces.only(faces.boxes[:, 2] >= _LEAST_IN_COPY_PX)
    scale = np.array([picture.width_px / copy.width_px, picture.height_px / copy.height_px], np.float32)
    return replace(large, boxes=large.boxes * np.tile(scale, 2), landmarks=large.landmarks * scale)
