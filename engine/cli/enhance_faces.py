"""The faces of a photograph, cut out for ``facestream enhance --faces``."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from engine.config import CropConfig, DetectConfig
from engine.contracts.frames import Float32, Planes
from engine.detect.judged import open_judged
from engine.errors import PictureError
from engine.models import find_model


class Faces:
    """Finds and cuts faces with the default detector."""

    def __init__(self) -> None:
        self._detector, _ = open_judged(DetectConfig(), find_model)

    def cut(self, image: Path, picture: Planes) -> list[tuple[str, Planes]]:
        """Return the faces with their margin, the largest first, each with what its name ends with.

        Raises:
            PictureError: the picture shows none.
        """
        (found,) = self._detector.detect([picture])
        if not len(found):
            raise PictureError(f"{image} shows no face that the detector {self._detector.name} finds: cut it yourself")
        boxes = sorted(found.boxes, key=lambda box: -float(box[2] * box[3]))
        return [(f"-face-{number}", _cut(picture, box)) for number, box in enumerate(boxes, start=1)]

    def close(self) -> None:
        """Free the model."""
        self._detector.close()


def _cut(picture: Planes, box: Float32) -> Planes:
    """Return a face with the margin of a run, at even coordinates, so that each chroma sample keeps its luma pixels."""
    x, y, width, height = map(float, box)
    margin = CropConfig().margin
    left, top = (max(0, math.floor(start - margin * length) // 2 * 2) for start, length in ((x, width), (y, height)))
    right, bottom = (-(-math.ceil(start + length * (1 + margin)) // 2) * 2 for start, length in ((x, width), (y, height)))
    luma = picture.y[top:bottom, left:right]
    chroma = np.s_[top // 2 : -(-bottom // 2), left // 2 : -(-right // 2)]
    return Planes(luma.copy(), picture.u[chroma].copy(), picture.v[chroma].copy(), picture.matrix, picture.full_range)
