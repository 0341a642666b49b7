"""Assigns faces to the cells of the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from trt_build.data.scenes.scene import Scene
from trt_build.networks.grey_detector import STRIDES

SIZES = {8: (0.0, 34.0), 16: (20.0, 84.0), 32: (52.0, np.inf)}
"""Sizes of faces (square root of the area, px) of each stride; the ranges overlap, so that no size falls between levels."""
_RADIUS, _LEAST, _MOST = 0.3, 0.8, 1.3
"""Cells with centres this close learn a face: as a share of its size, with a minimum and maximum in cells, so that a large face
does not count for more than a small one.
"""
NOTHING, LEARN, IGNORE = 0, 1, 2


@dataclass(frozen=True)
class Targets:
    """Targets of one scene, over the cells of all levels in the order of ``GreyDetector.forward``."""

    state: NDArray[np.uint8]
    """(cells,): ``NOTHING``, ``LEARN`` or ``IGNORE``."""
    boxes: Float32
    """(cells, 4) box in pixels of the face that the cell learns."""
    points: Float32
    """(cells, 10) points in strides from the cell's corner."""


def targets_of(scene: Scene) -> Targets:
    """Assign faces to cells: of several close faces, a cell learns the smallest."""
    side = scene.image.shape[0]
    parts = [_level(scene, side, stride) for stride in STRIDES]
    return Targets(*(np.concatenate([part[at] for part in parts]) for at in range(3)))


def _level(scene: Scene, side: int, stride: int) -> tuple[NDArray[np.uint8], Float32, Float32]:
    count = side // stride
    rows, columns = np.mgrid[0:count, 0:count]
    corner = np.stack([columns, rows], axis=2).reshape(-1, 2).astype(np.float32)
    middle = (corner + 0.5) * stride
    state = np.zeros(count * count, np.uint8)
    boxes = np.zeros((count * count, 4), np.float32)
    boxes[:, 2:] = 1
    points = np.zeros((count * count, 10), np.float32)
    for box in scene.ignored:
        state[_within(middle, box, 0.5, stride)] = IGNORE
    low, high = SIZES[stride]
    sizes = np.sqrt(scene.boxes[:, 2] * scene.boxes[:, 3])
    for index in np.argsort(-sizes):
        box = scene.boxes[index]
        if low <= sizes[index] < high:
            # Cells right around those that learn are ignored; elsewhere in a face they must not report a smaller one.
            ring = _near(middle, box, float(sizes[index]), stride, 1.6)
            state[ring & (state == NOTHING)] = IGNORE
            near = _near(middle, box, float(sizes[index]), stride)
            state[near] = LEARN
            boxes[near] = box
            points[near] = (scene.points[index][None] / stride - corner[near][:, None]).reshape(-1, 10)
    return state, boxes, points


def _within(middle: Float32, box: Float32, share: float, stride: int) -> NDArray[np.bool_]:
    """Return the cells inside the box, shrunk to ``share`` of its sides about its centre, half a cell wider."""
    offset = np.abs(middle - (box[:2] + box[2:] / 2))
    return np.asarray((offset <= box[2:] * share + stride / 2).all(axis=1), np.bool_)


def _near(middle: Float32, box: Float32, size: float, stride: int, wider: float = 1.0) -> NDArray[np.bool_]:
    distance = np.hypot(*(middle - (box[:2] + box[2:] / 2)).T)
    near = distance <= wider * np.clip(_RADIUS * size, _LEAST * stride, _MOST * stride)
    near[np.argmin(distance)] = True
    return np.asarray(near, np.bool_)
