"""Drawing into a picture as it lies in its planes, so that what is not drawn on stays as it is."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Planes, Uint8
from engine.footage.lettering import Colour
from engine.pictures.colour import planes_from_bgr

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels; may reach over the border."""


class Canvas:
    """A copy of a picture that is drawn on; ``planes`` is what has become of it."""

    def __init__(self, planes: Planes) -> None:
        y, u, v = (np.array(plane) for plane in (planes.y, planes.u, planes.v))
        self.planes = Planes(y, u, v, planes.matrix, planes.full_range)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.planes.width_px, self.planes.height_px

    def frame(self, box: Box, colour: Colour, thick_px: int) -> None:
        """Draw a box; its line lies outside of it."""
        left, top = round(box[0]), round(box[1])
        right, bottom = round(box[0] + box[2]), round(box[1] + box[3])
        for x, y, width, height in (
            (left - thick_px, top - thick_px, right - left + 2 * thick_px, thick_px),
            (left - thick_px, bottom, right - left + 2 * thick_px, thick_px),
            (left - thick_px, top, thick_px, bottom - top),
            (right, top, thick_px, bottom - top),
        ):
            self._fill(x, y, width, height, colour)

    def paste(self, picture_bgr: Uint8, x: int, y: int) -> None:
        """Lay a picture over it, with its corner at the even place nearest to ``x`` and ``y``; what reaches over is cut off.

        Args:
            picture_bgr: (height, width, 3) uint8, both even.
            x: of its left side.
            y: of its upper side.
        """
        width, height = self.size_px
        x, y = 2 * (x // 2), 2 * (y // 2)
        left, top = max(0, -x), max(0, -y)
        part = picture_bgr[top : max(top, height - y), left : max(left, width - x)]
        if not part.size:
            return
        x, y = x + left, y + top
        laid = planes_from_bgr(np.ascontiguousarray(part), self.planes.matrix, self.planes.full_range)
        for whole, plane, by in ((self.planes.y, laid.y, 1), (self.planes.u, laid.u, 2), (self.planes.v, laid.v, 2)):
            whole[y // by : y // by + plane.shape[0], x // by : x // by + plane.shape[1]] = plane

    def _fill(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        one = planes_from_bgr(np.full((2, 2, 3), colour, np.uint8), self.planes.matrix, self.planes.full_range)
        for whole, plane, by in ((self.planes.y, one.y, 1), (self.planes.u, one.u, 2), (self.planes.v, one.v, 2)):
            rows = slice(max(0, y // by), max(0, -(-(y + height) // by)))
            columns = slice(max(0, x // by), max(0, -(-(x + width) // by)))
            whole[rows, columns] = plane[0, 0]


def fitted(picture_bgr: Uint8, width_px: int, height_px: int) -> Uint8:
    """Return a picture of exactly this size: as large as fits, in the middle, with black beside it."""
    height, width = picture_bgr.shape[:2]
    scale = min(width_px / width, height_px / height)
    inner = max(1, min(width_px, round(width * scale))), max(1, min(height_px, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    whole = np.zeros((height_px, width_px, 3), np.uint8)
    left, top = (width_px - inner[0]) // 2, (height_px - inner[1]) // 2
    whole[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture_bgr, inner, interpolation=how)
    return whole
