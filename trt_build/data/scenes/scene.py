"""The form of every training picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.contracts.frames import Float32, Uint8
from trt_build.data.degradation import Random

_MIRRORED = [1, 0, 2, 4, 3]
"""Order of the points after mirroring: eyes and mouth corners are exchanged."""


@dataclass(frozen=True)
class Scene:
    """A training picture. Coordinates are pixels, boxes x, y, width, height."""

    image: Uint8
    """(side, side) luma."""
    boxes: Float32
    points: Float32
    """(N, 5, 2); NaN if unknown."""
    ignored: Float32
    """(M, 4): boxes that neither train nor count against the network."""


def flipped(scene: Scene, rng: Random) -> Scene:
    """Mirror the scene with a probability of one half."""
    if rng.random() < 0.5:
        return scene
    side = scene.image.shape[1]
    boxes, points, ignored = scene.boxes.copy(), scene.points.copy(), scene.ignored.copy()
    for some in (boxes, ignored):
        some[:, 0] = side - some[:, 0] - some[:, 2]
    points[:, :, 0] = side - points[:, :, 0]
    return Scene(np.ascontiguousarray(scene.image[:, ::-1], np.uint8), boxes, points[:, _MIRRORED], ignored)
