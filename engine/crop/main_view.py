"""From the picture in which a face was found to the larger one of the same moment: where it lies there, and whether it does.

Both show the same scene, at different sizes and perhaps in different shapes: squeezed, cut at the sides, or with bars. Which of
these is seen by the faces themselves: each is looked for in the larger picture near the place where it should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.contracts.frames import Float32, Frame, Planes, TrackedFace, Uint8

ALIKE = 0.6
"""Correlation from which on a face of one picture is that of the other."""
_SAME_SHAPE = 0.02
"""Pictures whose shapes differ by less are taken to show the same."""
_FACE_PX, _ROOM_PX = 16, 5
"""A face is compared at this size, and looked for so far beside its place."""
_AROUND = 0.2
"""Of the box, on each side: hair and chin tell, too."""
_CLEARLY = 0.04
"""A face is moved from where it should be only if it is so much more alike there."""
_SLOW = 0.9
_STRANGE_FACES, _STRANGE_SHARE = 30, 0.9
"""From so many faces on, of which so many were not found, the larger picture is of something else."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where the pixels of the small picture lie in the large one: edges of pixels, not their centres."""

    scale_x: float
    scale_y: float
    shift_x: float = 0.0
    shift_y: float = 0.0

    def box(self, box: Float32) -> Float32:
        """Return x, y, width, height in the large picture."""
        x, y, width, height = box
        placed = (x * self.scale_x + self.shift_x, y * self.scale_y + self.shift_y, width * self.scale_x, height * self.scale_y)
        return np.array(placed, np.float32)

    def points(self, points: Float32) -> Float32:
        """Return (n, 2) centres of pixels."""
        scale, shift = np.array([self.scale_x, self.scale_y]), np.array([self.shift_x, self.shift_y])
        return np.asarray((points + 0.5) * scale + shift - 0.5, np.float32)

    def moved(self, x: float, y: float) -> Mapping:
        """Return the mapping that leads so much further to the right and down."""
        return replace(self, shift_x=self.shift_x + x, shift_y=self.shift_y + y)


def mappings(small_px: tuple[int, int], large_px: tuple[int, int]) -> list[Mapping]:
    """Return how a small picture may lie in a large one, by their (width, height): the whole of both; and, where their shapes
    differ, what is cut off at the sides of the small one, or bars beside what it shows."""
    scales = large_px[0] / small_px[0], large_px[1] / small_px[1]
    found = [Mapping(*scales)]
    if abs(scales[0] / scales[1] - 1.0) > _SAME_SHAPE:
        for scale in (min(scales), max(scales)):
            shifts = ((large - scale * small) / 2 for small, large in zip(small_px, large_px, strict=True))
            found.append(Mapping(scale, scale, *shifts))
    return found


def find(small: Uint8, large: Uint8, box: Float32, mapping: Mapping) -> tuple[float, Mapping]:
    """Look for a face near the place where it should be.

    Args:
        small: luma of the picture in which it was found.
        large: luma of the other one.
        box: x, y, width, height in the small one.
        mapping: from the small to the large one.

    Returns:
        The correlation, -1 to 1, and the mapping that leads to the place; -1 where too little of it is in either picture.
    """
    x, y, width, height = (float(value) for value in box)
    step = max(width, height) * (1 + 2 * _AROUND) / _FACE_PX
    centre = x + width / 2, y + height / 2
    face = _sampled(small, centre, (step, step), _FACE_PX)
    there = mapping.box(np.array([*centre, step, step], np.float32))
    around = _sampled(large, (float(there[0]), float(there[1])), (float(there[2]), float(there[3])), _FACE_PX + 2 * _ROOM_PX)
    if face is None or around is None:
        return -1.0, mapping
    alike = cv2.matchTemplate(around, face, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(alike)
    here = float(alike[_ROOM_PX, _ROOM_PX])
    if not np.isfinite(best) or best < here + _CLEARLY:
        return here, mapping
    return float(best), mapping.moved((column - _ROOM_PX) * float(there[2]), (row - _ROOM_PX) * float(there[3]))


class MainView:
    """What is known of how the two streams of one camera lie on each other. Not thread-safe."""

    def __init__(self) -> None:
        self._sizes: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._mappings: list[Mapping] = []
        self._scores: list[float] = []
        self.unlike = 0
        """Faces that were not found in the main stream's picture."""
        self.alike = 0

    @property
    def is_strange(self) -> bool:
        """Whether the larger pictures seem to show something else."""
        looked = self.alike + self.unlike
        return looked >= _STRANGE_FACES and self.unlike >= _STRANGE_SHARE * looked

    def split(self, frame: Frame, faces: Sequence[TrackedFace]) -> Iterator[tuple[Frame, list[TrackedFace]]]:
        """Yield the pictures from which the faces of a frame are to be cut, each with its faces in its own pixels: that of the
        main stream where there is one and the face is found in it, else the frame itself, which always comes, and last."""
        left = list(faces)
        if frame.main is not None and faces:
            placed = self._placed(frame.planes, frame.main, left)
            found = [face for face in placed if face is not None]
            left = [face for face, there in zip(left, placed, strict=True) if there is None]
            self.alike, self.unlike = self.alike + len(found), self.unlike + len(left)
            if found:
                yield replace(frame, planes=frame.main, main=None, damaged=False), found
        yield frame, left

    def _placed(self, small: Planes, large: Planes, faces: Sequence[TrackedFace]) -> list[TrackedFace | None]:
        sizes = (small.width_px, small.height_px), (large.width_px, large.height_px)
        if sizes != self._sizes:
            self._sizes, self._mappings = sizes, mappings(*sizes)
            self._scores = [0.0] * len(self._mappings)
        return [self._place(small.y, large.y, face) for face in faces]

    def _place(self, small: Uint8, large: Uint8, face: TrackedFace) -> TrackedFace | None:
        tries = [find(small, large, face.box, mapping) for mapping in self._mappings]
        self._scores = [_SLOW * score + max(0.0, alike) for score, (alike, _) in zip(self._scores, tries, strict=True)]
        alike, mapping = tries[int(np.argmax(self._scores))]
        if alike < ALIKE:
            return None
        landmarks = None if face.landmarks is None else mapping.points(face.landmarks)
        return replace(face, box=mapping.box(face.box), landmarks=landmarks)


def _sampled(luma: Uint8, centre: tuple[float, float], step: tuple[float, float], size: int) -> Float32 | None:
    """Return size x size samples, each the mean of about a step's pixels; None where the centre is outside or all of it is one
    grey."""
    height, width = luma.shape
    if not (0 <= centre[0] < width and 0 <= centre[1] < height and step[0] > 0 and step[1] > 0):
        return None
    left, top = centre[0] - step[0] * size / 2, centre[1] - step[1] * size / 2
    # Pixels of the area first, reduced to about two for each sample, so that none is skipped.
    x0, y0 = max(0, int(left)), max(0, int(top))
    x1, y1 = min(width, int(left + step[0] * size) + 2), min(height, int(top + step[1] * size) + 2)
    area = luma[y0:y1, x0:x1]
    reduce_x, reduce_y = max(1.0, step[0]), max(1.0, step[1])
    target = max(1, round(area.shape[1] / reduce_x)), max(1, round(area.shape[0] / reduce_y))
    small = cv2.resize(area, target, interpolation=cv2.INTER_AREA).astype(np.float32)
    scale_x, scale_y = target[0] / area.shape[1], target[1] / area.shape[0]
    back = np.array(
        [
            [step[0] * scale_x, 0.0, (left - x0 + step[0] / 2) * scale_x - 0.5],
            [0.0, step[1] * scale_y, (top - y0 + step[1] / 2) * scale_y - 0.5],
        ],
        np.float64,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    samples = cv2.warpAffine(small, back, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(samples, np.float32) if float(samples.std()) > 1e-3 else None
